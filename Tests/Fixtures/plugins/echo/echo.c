// A well-behaved plugin: shows what a plugin gets, and misbehaves only where its tool's name says so.
#define _GNU_SOURCE
#include "../abi.h"
#include "../text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static void answer(const struct call *call, struct text *text) {
  abi_result(call->stream, text->bytes, text->length);
  free(text->bytes);
}

static void sleep_for(const struct call *call) {
  char value[32] = "0";
  json_member(call->arguments, "ms", value, sizeof value);
  if (abi_wait(call->stream, atoi(value))) return abi_cancelled(call->stream, "woken early");
  struct text text = {0};
  text_add(&text, "{\"slept\":%d}", atoi(value));
  answer(call, &text);
}

static void log_message(const struct call *call) {
  char message[1024] = "a message";
  json_member(call->arguments, "message", message, sizeof message);
  for (enum level level = DEBUG; level <= FAULT; level++) abi_log(call->stream, level, message);
  abi_result(call->stream, "{\"logged\":4}", 12);
}

static void write_to_stdout(const struct call *call) {
  char message[1024] = "this is not the protocol";
  json_member(call->arguments, "message", message, sizeof message);
  printf("%s\n", message);
  fprintf(stderr, "%s\n", message);
  fflush(NULL);
  abi_result(call->stream, "{\"written\":true}", 16);
}

// Names and lengths only: a credential never goes back (ABI-9.5).
static void list_credentials(const struct call *call) {
  struct text text = {0};
  text_add(&text, "{\"credentials\":[");
  for (size_t i = 0; i < call->credential_count; i++) {
    text_add(&text, "%s{\"name\":", i ? "," : "");
    text_add_string(&text, call->credentials[i].name.bytes, call->credentials[i].name.length);
    text_add(&text, ",\"length\":%zu}", call->credentials[i].value.length);
  }
  text_add(&text, "]}");
  answer(call, &text);
}

static void describe_environment(const struct call *call) {
  struct text text = {0};
  text_add(&text, "{\"variables\":[");
  for (char **variable = environ; *variable; variable++) {
    text_add(&text, "%s", variable == environ ? "" : ",");
    text_add_string(&text, *variable, strcspn(*variable, "="));
  }
  text_add(&text, "],\"descriptors\":[");
  for (int fd = 0, count = 0; fd < 4096; fd++)
    if (fcntl(fd, F_GETFD) >= 0) text_add(&text, "%s%d", count++ ? "," : "", fd);
  char directory[512] = "";
  if (!getcwd(directory, sizeof directory)) directory[0] = 0;
  text_add(&text, "],\"directory\":");
  text_add_string(&text, directory, strlen(directory));
  text_add(&text, ",\"user\":%d,\"process\":%d,\"parent\":%d}", (int)getuid(), (int)getpid(), (int)getppid());
  answer(call, &text);
}

static void serve(const struct call *call) {
  const struct slice arguments = call->arguments;
  if (slice_is(call->tool, "echo")) abi_result(call->stream, (const char *)arguments.bytes, arguments.length);
  else if (slice_is(call->tool, "sleep")) sleep_for(call);
  else if (slice_is(call->tool, "crash")) abort();
  else if (slice_is(call->tool, "log")) log_message(call);
  else if (slice_is(call->tool, "stdout")) write_to_stdout(call);
  else if (slice_is(call->tool, "credentials")) list_credentials(call);
  else if (slice_is(call->tool, "environment")) describe_environment(call);
  else abi_error(call->stream, "unknown-tool", "see plugin.json for the tools of echo");
}

int main(void) {
  return abi_run(&(struct plugin){.name = "echo", .minimum = 1, .maximum = 1, .call = serve});
}
