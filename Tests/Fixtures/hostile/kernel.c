// Corners of the kernel that are known for escapes.
#include "attempts.h"

#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

int io_uring(const char *unused) {
  (void)unused;
  struct io_uring_params parameters = {0};
  long fd = syscall(SYS_io_uring_setup, 1, &parameters);
  if (fd < 0) return errno;
  close((int)fd);
  return 0;
}

// getpid by the 32-bit entry, which a filter that forgets to check the architecture reads as another call.
int ia32_call(const char *unused) {
  (void)unused;
#ifdef __x86_64__
  long result = 20;
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  return result > 0 ? 0 : (int)-result;
#else
  return ENOSYS;
#endif
}

// Puts a character into the terminal's input, with a bit set above 32 that the kernel ignores. Without a terminal at
// hand ENOTTY says as much: the kernel got to look at the request.
int terminal_injection(const char *unused) {
  (void)unused;
  char character = '\n';
  long result = syscall(SYS_ioctl, 0, (1UL << 32) | TIOCSTI, &character);
  return result == 0 || errno == ENOTTY ? 0 : errno;
}

int session_keyring(const char *unused) {
  (void)unused;
  return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1, 0, 0) > 0 ? 0 : errno;
}

int user_fault(const char *unused) {
  (void)unused;
  long fd = syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY);
  if (fd < 0) return errno;
  close((int)fd);
  return 0;
}

// Asks for the same refused thing again and again, to keep the host busy with it.
int denial_flood(const char *unused) {
  (void)unused;
  int error = 0;
  for (int i = 0; i < 300; i++) error = syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY | 1 << 30) < 0 ? errno : 0;
  return error == EINVAL ? 0 : error;
}
