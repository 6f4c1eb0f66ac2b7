import Glibc

/// Makes a write to a closed socket an error instead of the end of the process; call it first in `main`.
///
/// hiredis writes without `MSG_NOSIGNAL`, so without this a Redis that goes away ends us by `SIGPIPE`. `signal(2)`.
package func ignoreBrokenPipes() {
    _ = signal(SIGPIPE, SIG_IGN)
}
