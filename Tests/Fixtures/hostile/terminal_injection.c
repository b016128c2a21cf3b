// Puts a character into the terminal's input, with a bit set above 32 that the kernel ignores. Without a terminal at
// hand ENOTTY says as much: the kernel got to look at the request.
#include "attempts.h"

#include <termios.h>
#include <sys/ioctl.h>

ATTEMPT(terminal_injection) {
  char character = '\n';
  return reached(syscall(SYS_ioctl, 0, (1UL << 32) | TIOCSTI, &character), ENOTTY);
}
