// Switches off the randomness of addresses.
#include "attempts.h"

#include <sys/personality.h>

ATTEMPT(personality) {
  return outcome(personality(ADDR_NO_RANDOMIZE));
}
