#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Swift's Glibc leaves ppoll(2) out: glibc declares it only with _GNU_SOURCE. The bare call writes back into
   `timeout` what was left of it. */
static inline int precise_poll(struct pollfd *entries, nfds_t count, struct timespec *timeout) {
  return (int)syscall(SYS_ppoll, entries, count, timeout, NULL, 0);
}

/* epoll(7) without its union and packed structure, in the words of poll(2): POLLIN and POLLOUT; POLLERR and POLLHUP
   come unasked. */
static inline int descriptor_set_open(void) { return epoll_create1(EPOLL_CLOEXEC); }

/* Changes what a member is watched for, or makes it one. */
static inline int descriptor_set_watch(int set, int descriptor, short events) {
  struct epoll_event event = {.events = (unsigned int)events, .data = {.fd = descriptor}};
  if (epoll_ctl(set, EPOLL_CTL_MOD, descriptor, &event) == 0) return 0;
  return epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event);
}

static inline void descriptor_set_unwatch(int set, int descriptor) {
  struct epoll_event event = {0};
  epoll_ctl(set, EPOLL_CTL_DEL, descriptor, &event);
}

/* Fills in the members to which something happened, without waiting; answers how many. */
static inline int descriptor_set_take(int set, struct pollfd *entries, int count) {
  struct epoll_event events[64];
  int found = epoll_wait(set, events, count < 64 ? count : 64, 0);
  for (int i = 0; i < found; i++)
    entries[i] = (struct pollfd){.fd = events[i].data.fd, .events = 0, .revents = (short)events[i].events};
  return found < 0 ? 0 : found;
}
