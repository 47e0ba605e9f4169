"""The failures that a user of imago can mend."""


class ImagoError(Exception):
    """A failure whose message says where, which rule, what was found and what to do."""


class ParamsError(ImagoError, ValueError):
    """params.yaml breaks a rule; the message holds one line for each fault."""


class DataError(ImagoError, ValueError):
    """The content of a data file breaks a rule."""


class DiskFullError(ImagoError, OSError):
    """There is no space for what is to be written."""


class LimitError(ImagoError, OSError):
    """The system lets this process have less than it needs."""


class ImageError(ImagoError, ValueError):
    """An image that was given for a prediction cannot be read."""


class SourceError(ImagoError, OSError):
    """A file could not be had from a source."""


class TrainingError(ImagoError, ArithmeticError):
    """A training came to numbers that are none."""


class ExtensionError(ImagoError, TypeError):
    """A module that was added to a package lacks what the modules of that package have."""


class ExportError(ImagoError, RuntimeError):
    """An exported model does not agree with the model that it was made from."""


class ClusterError(ImagoError, ValueError):
    """What is said of the machines that work together breaks a rule."""


class GateError(ImagoError, RuntimeError):
    """Two revisions could not be compared."""


class GitError(ImagoError, RuntimeError):
    """git is missing, or does not know what it was asked for."""


class DvcError(ImagoError, RuntimeError):
    """DVC is not set up here, or fails: over its project, its files or a remote."""


class LockError(ImagoError, ValueError):
    """dvc.lock cannot be read, so nobody can tell what is current."""


class ModelError(ImagoError, ValueError):
    """A model is not of the kind that is needed."""


class SweepError(ImagoError, ValueError):
    """A search for hyperparameters cannot be run as it was asked for."""


class AddressError(ImagoError, OSError):
    """An address cannot be served."""


class BusyError(ImagoError, RuntimeError):
    """Another process is at the same work."""
