"""The formats that a model is exported to, each a module found by its name.

Every format takes raw pixels, (N, H, W, C) uint8, 0-255, of any N, and gives probabilities, (N, K)
float32. Equal models give equal bytes. A module has

    FILE_NAME            of the file or folder under exports/<experiment>
    EXACT                whether it computes what Keras computes, to rounding; else its weights are
                         rounded
    write(source, path)  writes a model, an imago.exports.source.Source
    load(path, threads)  loads what was written, in the format's own runtime, as an
                         imago.runtimes.calls.Call; threads None: one for each core
"""
