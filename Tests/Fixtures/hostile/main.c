// hostile ATTEMPT [ARGUMENT]: tries one thing. Status 0: it succeeded; 1: refused; 2: no such attempt. Or it is killed.
#include "attempts.h"

#include <stdio.h>

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "executed") == 0) return printf("%s: succeeded\n", argv[2]) < 0;
  const struct attempt *attempt = argc > 1 ? attempt_named(argv[1]) : NULL;
  if (!attempt) {
    for (size_t i = 0; i < attempt_count; i++) puts(attempts[i].name);
    return 2;
  }
  int error = attempt->run(argc > 2 ? argv[2] : NULL);
  if (error == 0) printf("%s: succeeded\n", attempt->name);
  else printf("%s: refused, %s\n", attempt->name, strerrorname_np(error));
  return error != 0;
}
