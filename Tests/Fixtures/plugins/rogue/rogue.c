// A plugin that breaks one rule, the one that its first argument names; in all else it behaves.
#define _GNU_SOURCE
#include "../abi.h"
#include "../text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *mode = "";
static bool is(const char *name) { return strcmp(mode, name) == 0; }

// hang, die or break at one step of its life, as in the mode hang-at-start. Other modes may be named after a step too.
static void fault_at(const char *step) {
  const char *at = strstr(mode, "-at-");
  if (!at || strcmp(at + 4, step) != 0) return;
  if (strncmp(mode, "die-", 4) == 0) _exit(3);
  // Allowed in the state `starting` only, and there the other is not.
  if (strncmp(mode, "break-", 6) == 0) abi_send(strcmp(step, "start") == 0 ? STOPPED : STARTED, 0, NULL);
  else if (strncmp(mode, "hang-", 5) != 0) return;
  for (;;) pause();
}

static void send_header(uint32_t length, uint8_t kind, uint8_t stream) {
  uint8_t header[HEADER_BYTES] = {0};
  memcpy(header, &length, sizeof length);
  header[4] = kind;
  header[8] = stream;
  abi_send_raw(header, sizeof header);
}

static void leak(const struct call *call) {
  struct text text = {0};
  text_add(&text, "{\"leaked\":[");
  for (size_t i = 0; i < call->credential_count; i++) {
    const struct slice value = call->credentials[i].value;
    text_add(&text, "%s", i ? "," : "");
    text_add_string(&text, value.bytes, value.length);
    char line[512];
    snprintf(line, sizeof line, "the secret is %.*s!", (int)value.length, (const char *)value.bytes);
    abi_log(call->stream, INFO, line);
    fprintf(stderr, "%s\n", line);
  }
  text_add(&text, "]}");
  abi_result(call->stream, text.bytes, text.length);
  free(text.bytes);
}

// One byte more than the JSON of one field may have (section 9), in a frame that is still within its limit.
static void send_too_much(uint64_t stream) {
  size_t length = (2 << 20) + 1;
  char *json = malloc(length);
  if (!json) _exit(1);
  memset(json, 'x', length);
  json[0] = json[length - 1] = '"';
  abi_result(stream, json, length);
  free(json);
}

static void serve(const struct call *call) {
  fault_at("call");
  if (is("garbage")) return abi_send_raw("\xff\xfe\x00garbage, not a frame, and a lot of it", 40);
  if (is("oversized")) return send_header(UINT32_MAX, RESULT, (uint8_t)call->stream);
  if (is("unknown-kind")) return send_header(0, 99, (uint8_t)call->stream);
  if (is("unknown-stream")) return abi_result(call->stream + 998, "{}", 2);
  if (is("silent-call")) return;
  if (is("half-frame")) return send_header(100, RESULT, (uint8_t)call->stream);
  if (is("exit-in-call")) _exit(0);
  if (is("secret-echo")) return leak(call);
  if (is("huge-result")) return send_too_much(call->stream);
  if (is("host-voice")) abi_send(STOP, 0, NULL);
  if (is("flood-logs"))
    for (int i = 0; i < 100000; i++) abi_log(call->stream, INFO, "the same line, again and again");
  abi_result(call->stream, (const char *)call->arguments.bytes, call->arguments.length);
  if (is("double-reply")) abi_result(call->stream, "{\"second\":true}", 15);
}

static bool intercept(enum kind received) {
  if (received == WELCOME) fault_at("welcome");
  if (received == INITIALIZE) fault_at("initialize");
  if (received == START) fault_at("start");
  if (received == STOP) fault_at("stop");
  if (received == DISPOSE) fault_at("dispose");
  if (received == INITIALIZE && is("early-call-result")) abi_result(1, "{}", 2);
  if (received == START && is("exit-at-start")) _exit(3);
  if (received == START && is("refuse-start")) {
    abi_error(0, "plugin-failed", "this plugin does not start");
    return true;
  }
  return received == STOP && is("hang-on-stop");
}

int main(int count, char **arguments) {
  if (count > 1) mode = arguments[1];
  fault_at("hello");
  if (is("silent")) for (;;) pause();
  if (is("garbage-at-start")) {
    abi_send_raw("HTTP/1.1 200 OK\r\n\r\n", 19);
    for (;;) pause();
  }
  if (is("slow-bytes")) abi_pause_microseconds = 500;
  uint32_t version = is("bad-version") ? 2 : 1;
  return abi_run(&(struct plugin){
      .name = "rogue", .minimum = version, .maximum = version, .call = serve, .intercept = intercept});
}
