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

BODY_TIMEOUT_S = 60
"""For a request to arrive as a whole."""

HEADER_TIMEOUT_S = 10
"""For the header of a request to arrive, once its connection is there."""

BODY_PAUSE_S = 4
"""In which a body must go on,"""

BODY_BYTES_PER_S = 4096
"""by as many bytes in each of these seconds. The slowest mobile networks carry more."""

WRITE_TIMEOUT_S = 60
"""In which a client must read what it asked for."""

WAITING_OF_CLIENT = 128
"""Connections of one address whose request has not arrived as a whole. A browser keeps up to six
idle ones, and an office has one address; see `app.connections` for what becomes of more."""

WAITING = 400
"""Of all addresses; fewer where fewer files may be open."""

VISITS_OF_CLIENT = 100
"""Pages of one address that are open at a time: each has a connection, and a thread at work."""

VISITS = 200
"""Of all addresses; one more is told to come back."""

MESSAGE_BYTES = 2 * 2**20
"""Of what a page sends over its connection. A drawing of the most points has half a MiB; uploads
come in requests of their own."""

BODIES_BYTES = 4 * REQUEST_BYTES
"""Of all requests that arrive at a time; more are told to come back."""

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
