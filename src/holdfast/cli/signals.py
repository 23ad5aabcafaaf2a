"""What SIGINT, SIGTERM and SIGHUP do: undo before the point of no return, finish after it.

Invariants:
    I1  Until `finish` is called a signal raises `Interrupted`: the temp file goes, the target
        stays, and the exit code is 128 + the signal.
    I2  In a `Held` block a signal waits for the end of the block.
    I3  After `finish` a signal is ignored: the replacement and its syncs are completed, and the
        exit code says how that went. So 130 and 143 always mean that nothing was changed.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from types import FrameType
else:
    try:
        import _signal as signal  # `signal` adds enumerations to it: a tenth of a command's time
    except ImportError:
        import signal

__all__ = ["Held", "Interrupted", "finish", "install"]

_handled: list[int] = []
_held: list[bool] = []
_noted: list[int] = []


class Interrupted(BaseException):
    """A signal asked to stop, and nothing was changed yet."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


class Held:
    """`with Held():` is not interrupted; a signal that comes meanwhile strikes at its end (I2)."""

    def __enter__(self) -> None:
        _held.append(True)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        _held.pop()
        if _noted and not _held and kind is None:
            raise Interrupted(_noted.pop())


def install() -> None:
    """Make this process a good member of a pipeline: default SIGPIPE, the others undo or finish.

    A signal that is ignored when the program starts (nohup, a background job) stays ignored.
    """
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signum = getattr(signal, name, None)
        if signum is not None and signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, _stop)
            _handled.append(signum)


def finish() -> None:
    """From here on, complete what was begun: the change is about to be made.

    The signals are ignored, not noted: Python takes its own handlers away before it ends, and a
    signal in that moment would tell of a change that was made as if it had not been.
    """
    while _handled:
        signal.signal(_handled[-1], signal.SIG_IGN)
        _handled.pop()


def _stop(signum: int, frame: FrameType | None) -> None:
    del frame
    if _held:
        _noted.append(signum)
        return
    raise Interrupted(signum)
