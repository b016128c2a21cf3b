// A plugin whose one tool runs an attempt of ../../hostile in a forked child, and reports what became of it.
#define _GNU_SOURCE
#include "../../hostile/attempts.h"
#include "../abi.h"
#include "../text.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_LIMIT = 4096, PATIENCE_SECONDS = 20 };

static void report(const struct call *call, const char *name, const char *outcome, int error, int signal_number,
                   bool forked, const char *output, size_t length) {
  struct text text = {0};
  text_add(&text, "{\"attempt\":");
  text_add_string(&text, name, strlen(name));
  text_add(&text, ",\"outcome\":\"%s\",\"forked\":%s", outcome, forked ? "true" : "false");
  const char *error_name = error ? strerrorname_np(error) : NULL;
  if (error) text_add(&text, ",\"errno\":%d,\"error\":\"%s\"", error, error_name ? error_name : "?");
  const char *signal_name = signal_number ? sigabbrev_np(signal_number) : NULL;
  if (signal_number)
    text_add(&text, ",\"signal\":%d,\"signalName\":\"SIG%s\"", signal_number, signal_name ? signal_name : "?");
  text_add(&text, ",\"output\":");
  text_add_string(&text, output, length);
  text_add(&text, "}");
  abi_result(call->stream, text.bytes, text.length);
  free(text.bytes);
}

static void try_in_child(const struct attempt *attempt, const char *argument, int output) {
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  if (output > SOCKET) close(output);
  alarm(PATIENCE_SECONDS);
  _exit(attempt->run(argument) & 0xff);  // every errno fits
}

static size_t collect(int from, char *output) {
  size_t length = 0;
  char byte;
  while (read(from, &byte, 1) == 1)
    if (length < OUTPUT_LIMIT) output[length++] = byte;
  return length;
}

static void attempt(const struct call *call, const struct attempt *attempt, const char *argument) {
  int pipe_ends[2] = {-1, -1};
  char output[OUTPUT_LIMIT];
  pid_t child = pipe(pipe_ends) == 0 ? fork() : -1;
  if (child == 0) {
    close(pipe_ends[0]);
    try_in_child(attempt, argument, pipe_ends[1]);
  }
  if (pipe_ends[1] >= 0) close(pipe_ends[1]);
  if (child < 0) {
    if (pipe_ends[0] >= 0) close(pipe_ends[0]);
    int error = attempt->run(argument);
    return report(call, attempt->name, error ? "refused" : "succeeded", error, 0, false, "", 0);
  }
  size_t length = collect(pipe_ends[0], output);
  close(pipe_ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) kill(child, SIGKILL);
  int error = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  report(call, attempt->name, signal_number ? "killed" : error ? "refused" : "succeeded", error, signal_number, true,
         output, length);
}

static void serve(const struct call *call) {
  char name[64] = "", argument[1024];
  bool has_argument = json_member(call->arguments, "argument", argument, sizeof argument);
  json_member(call->arguments, "attempt", name, sizeof name);
  const struct attempt *found = attempt_named(name);
  if (!slice_is(call->tool, "attempt")) abi_error(call->stream, "unknown-tool", "the tool is attempt");
  else if (!found) abi_error(call->stream, "invalid-arguments", "there is no such attempt");
  else attempt(call, found, has_argument ? argument : NULL);
}

int main(void) {
  return abi_run(&(struct plugin){.name = "hostile", .minimum = 1, .maximum = 1, .call = serve});
}
