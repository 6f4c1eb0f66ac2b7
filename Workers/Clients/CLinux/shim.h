#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Swift's Glibc leaves ppoll(2) out: glibc declares it only with _GNU_SOURCE. The bare call writes back into
   `timeout` what was left of it. */
static inline int precise_poll(struct pollfd *entries, nfds_t count, struct timespec *timeout) {
  return (int)syscall(SYS_ppoll, entries, count, timeout, NULL, 0);
}
