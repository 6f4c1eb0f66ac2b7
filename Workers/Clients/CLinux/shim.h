#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Swift's Glibc leaves ppoll(2) out: glibc declares it only with _GNU_SOURCE. */
static inline int precise_poll(struct pollfd *entries, nfds_t count, const struct timespec *timeout) {
  struct timespec rest = {0, 0};
  if (timeout) rest = *timeout;
  return (int)syscall(SYS_ppoll, entries, count, timeout ? &rest : NULL, NULL, 0);
}
