"""How much the page and the endpoint take from a visitor, checked before anything is decoded."""

IMAGE_BYTES = 15 * 2**20
"""Of one file, whole MiB. Large photos of phones have 12."""

PIXELS = 40_000_000
"""Of one image, width times height. While they are decoded they take up to 30 bytes each."""

JPEG_SCANS = 100
"""Of one JPEG. Progressive ones have about ten; each costs a pass over all pixels, however few
bytes it has. See "Two Issues with the JPEG Standard", libjpeg-turbo, 2015."""

JPEG_SEGMENTS = 2000
"""Of one JPEG before its first scan, with fill bytes; a colour profile may take 255."""

IMAGES = 20
"""Of one request, and shown at a time."""

REQUEST_BYTES = 60 * 2**20
"""Of one request to the endpoint, with its framing."""

NAME_CHARACTERS = 80
"""Of a file's name that are kept, to name it in an answer."""

CLIENT_CONNECTIONS = 200
"""Of one address, which may be that of a whole office: each page that is open holds one or two.
Beyond it the one that has been idle for longest is closed, so that nobody is shut out."""

CONNECTIONS = 1000
"""Of all addresses together."""

HEADER_TIMEOUT_S = 10
"""For the header of a request to arrive as a whole."""

BODY_TIMEOUT_S = 60
"""For a request to arrive as a whole."""

BODY_PAUSE_S = 10
"""The longest pause between two parts of a body."""

BODY_BYTES_PER_S = 8 * 2**10
"""At least, on the average since a body began; looked at once BODY_PAUSE_S have passed. A slow
phone sends ten times as much."""

BODIES_BYTES = 8 * REQUEST_BYTES
"""Of all requests that are being read or answered; a request beyond is told to come back."""

REQUESTS = 8
"""That the endpoint answers at a time; more are told to come back."""

DECODING_THREADS = 2
"""That decode at a time, over all visitors: each may hold several times an image's pixels."""

VISIT_BYTES = 200 * 2**20
"""Of one visitor's uploads that the page holds, all together."""

HELD_BYTES = 2**30
"""Of all visitors' uploads that the page holds."""

FORGET_AFTER_S = 60
"""That uploads are held after a visitor has left; a lost connection can come back until then."""
