// probe NAME STEP... : NAME is for people; a STEP is `PHASE: WORD WORD ...` and says what the probe does in that phase
// in place of what a good plugin does. Phases: begin, welcome, initialize, start, stop, dispose, and the tools act,
// then and lend (their names may go on: `act_7` is `act`). The tool `look` always returns the report.
#define _GNU_SOURCE
#include "probe.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int argument_count;
static char **argument_values;
static struct queued { struct frame frame; struct queued *next; } *queue;
static uint64_t held[64], pongs;  // calls that wait for `release`
static unsigned held_count;
static uint64_t streamed, credit;  // the stream that sends data, and what it may still send
static uint64_t next_host_stream = 2;

// MARK: answers

static void answer(uint64_t stream, const void *json, size_t length) {
  struct text body = {0};
  put_field(&body, 1, json, length);
  send_frame(RESULT, stream, &body);
}

static void answer_report(uint64_t stream) {
  struct text json = {0};
  report(&json, argument_count, argument_values);
  answer(stream, json.bytes, json.length);
  free(json.bytes);
}

static void answer_number(uint64_t stream, const char *name, uint64_t number) {
  char json[128];
  answer(stream, json, (size_t)snprintf(json, sizeof json, "{\"%s\":%llu}", name, (unsigned long long)number));
}

static void pong(const struct frame *ping) {
  struct text body = {0};
  struct slice nonce = field(ping, 1);
  put_field(&body, 1, nonce.bytes, nonce.length);
  send_frame(PONG, 0, &body);
  pongs++;
}

static void log_line(uint64_t stream, const void *message, size_t length) {
  struct text body = {0};
  put_number(&body, 1, 2, 1);
  put_field(&body, 2, message, length);
  send_frame(LOG, stream, &body);
}

// MARK: reading while something else goes on

static bool is_tool(const struct frame *call, const char *name) {
  struct slice tool = field(call, 1);
  size_t length = strlen(name);
  if (tool.length < length || memcmp(tool.bytes, name, length) != 0) return false;
  return tool.length == length || tool.bytes[length] == '_';
}

static void keep(struct frame frame) {
  struct queued *entry = malloc(sizeof *entry), **last = &queue;
  if (!entry) _exit(70);
  *entry = (struct queued){frame, NULL};
  while (*last) last = &(*last)->next;
  *last = entry;
}

// What is answered at once, whatever else goes on; true when nothing is left to do for the frame.
static bool settle(const struct frame *frame) {
  struct slice code = field(frame, 1), message = field(frame, 2), bytes = code;
  switch (frame->kind) {
    case PING: pong(frame); return true;
    case ABORT:
      say("probe: abort %.*s %.*s", (int)code.length, code.bytes, (int)message.length, message.bytes);
      _exit(1);
    case CALL: if (is_tool(frame, "look")) answer_report(frame->stream); return is_tool(frame, "look");
    case CREDIT: if (frame->stream == streamed && bytes.length == 4) credit += integer(bytes.bytes, 4); return true;
    case PONG: case CANCEL: case RESULT: case ERROR: case CANCELLED: return true;
    default: return false;
  }
}

static struct frame take(void) {
  struct frame frame = read_frame();
  note(&frame);
  return frame;
}

// Reads what is there, then for that time, or until `count` frames of a kind came in all.
static bool pump(int milliseconds, enum kind kind, unsigned count) {
  uint64_t end = now() + (uint64_t)milliseconds;
  while (!count || seen(kind) < count) {
    uint64_t time = now();
    if (!is_readable(time < end ? (int)(end - time) : 0)) break;
    struct frame frame = take();
    if (settle(&frame)) free(frame.body);
    else keep(frame);
  }
  return count && seen(kind) >= count;
}

// MARK: words

static size_t unhex(const char *hex, uint64_t stream, uint8_t *bytes) {
  size_t length = 0;
  while (*hex && *hex != ' ') {
    if (*hex == 'S') {  // the stream of the call, 8 bytes
      for (int i = 0; i < 8; i++) bytes[length++] = (uint8_t)(stream >> (8 * i));
      hex++;
      continue;
    }
    unsigned value = 0;
    if (sscanf(hex, "%2x", &value) != 1) break;
    bytes[length++] = (uint8_t)value;
    hex += hex[1] ? 2 : 1;
  }
  return length;
}

static void host_call(uint64_t stream, uint64_t parent, const char *service) {
  static const char fetch[] = "{\"endpoint\":\"probe\",\"method\":\"GET\",\"path\":\"/\"}";
  static const char connection[] = "{\"host\":\"probe.example.com\",\"port\":443}";
  const char *request = strcmp(service, "net.connect") == 0 ? connection : fetch;
  struct text body = {0};
  put_field(&body, 1, service, strlen(service));
  put_number(&body, 2, parent, 8);
  put_field(&body, 3, request, strlen(request));
  send_frame(HOST_CALL, stream, &body);
}

// Sends `left` bytes in pieces, within the credit where `waits`; false if cancelled, or no credit came for 5 s.
static bool send_data(uint64_t stream, uint64_t left, uint64_t piece, bool waits) {
  unsigned cancels = seen(CANCEL);
  uint8_t *bytes = malloc(piece);
  if (!bytes) _exit(70);
  memset(bytes, 'x', piece);
  while (left > 0) {
    uint64_t count = left < piece ? left : piece;
    pump(0, CREDIT, 0);
    for (uint64_t end = now() + 5000; waits && credit < count && seen(CANCEL) == cancels;) {
      if (now() > end) break;
      pump(50, CREDIT, seen(CREDIT) + 1);
    }
    if (waits && credit < count) break;
    struct text body = {0};
    put_field(&body, 1, bytes, count);
    send_frame(DATA, stream, &body);
    left -= count;
    if (waits) credit -= count;
  }
  free(bytes);
  return left == 0;
}

static void leak(const struct frame *call, bool as_error) {
  struct slice credential = field(call, CREDENTIAL_TAG), value, secret = {(const uint8_t *)"", 0};
  uint16_t tag;
  while (next_field(&credential, &tag, &value))
    if (tag == 2) secret = value;
  struct text json = {0}, line = {0};
  add(&line, "the secret is ");
  put(&line, secret.bytes, secret.length);
  add(&line, "!");
  log_line(call->stream, line.bytes, line.length);
  say("probe: %s", line.bytes);
  add(&json, "{\"leaked\":\"%s\"}", line.bytes);
  if (as_error) send_coded(ERROR, call->stream, "plugin-failed", line.bytes);
  else answer(call->stream, json.bytes, json.length);
  free(json.bytes);
  free(line.bytes);
}

static void flood(uint64_t stream, uint64_t count) {
  char line[64];
  for (uint64_t i = 0; i < count; i++)
    log_line(stream, line, (size_t)snprintf(line, sizeof line, "probe: flood %llu", (unsigned long long)i));
}

static void child(void) {
  pid_t process = fork();
  if (process == 0) for (;;) pause();
  say("probe: fork %s", process > 0 ? "done" : "failed");
}

static bool is(const char *word, const char *name) {
  size_t length = strcspn(word, " =");
  return strlen(name) == length && strncmp(word, name, length) == 0;
}

static void bare(const char *word, const char *name, enum kind kind) { if (is(word, name)) send_frame(kind, 0, NULL); }

static void say_hello(uint64_t minimum, uint64_t maximum) {
  struct text body = {0};
  put_number(&body, 1, minimum, 4);
  put_number(&body, 2, maximum, 4);
  put_field(&body, 3, "probe", 5);
  put_field(&body, 4, "conformance-probe", 17);
  send_frame(HELLO, 0, &body);
}

// Words that answer the call, or the step of the lifecycle.
static void reply(const char *word, uint64_t a, uint64_t b, const struct frame *frame) {
  uint64_t stream = frame->kind == CALL ? frame->stream : 0;
  struct slice arguments = field(frame, 2);
  bare(word, "initialized", INITIALIZED), bare(word, "started", STARTED), bare(word, "stopped", STOPPED);
  bare(word, "disposed", DISPOSED);
  if (is(word, "hello")) say_hello(a ? a : 1, b ? b : a ? a : 1);
  if (is(word, "ok")) answer(stream, "{}", 2);
  if (is(word, "report")) answer_report(stream);
  if (is(word, "echo")) answer(stream, arguments.bytes, arguments.length);
  if (is(word, "pongs")) answer_number(stream, "pongs", pongs);
  if (is(word, "error")) send_coded(ERROR, stream, "plugin-failed", "the script of the probe says no");
  if (is(word, "cancelled")) send_frame(CANCELLED, stream, NULL);
  if (is(word, "leak")) leak(frame, a == 1);
  if (is(word, "hold") && held_count < 64) held[held_count++] = stream;
  if (is(word, "release"))  // the last one first
    while (held_count > 0) held_count--, answer_number(held[held_count], "stream", held[held_count]);
}

// Words that send something else, wait, or end the process. `a` and `b` are the numbers behind `=`.
static void act(const char *word, uint64_t a, uint64_t b, const struct frame *frame) {
  uint64_t stream = frame->kind == CALL ? frame->stream : 0;
  static uint8_t raw[2048];
  struct text body = {0};
  if (is(word, "hex")) send_bytes(raw, unhex(word + 4, stream, raw));
  if (is(word, "zeros"))
    for (memset(raw, 0, sizeof raw); a > 0; a -= a < 2048 ? a : 2048) send_bytes(raw, a < 2048 ? a : 2048);
  if (is(word, "slow")) pause_microseconds = (int)a;
  if (is(word, "wait")) pump((int)a, 0, 0);
  if (is(word, "until")) pump(15000, (enum kind)a, b ? (unsigned)b : 1);
  if (is(word, "sleep")) usleep((useconds_t)a * 1000);
  if (is(word, "hang")) for (;;) pause();
  if (is(word, "exit")) _exit((int)a);
  if (is(word, "kill")) raise((int)a);
  if (is(word, "close")) close(SOCKET);
  if (is(word, "ping")) put_number(&body, 1, a, 8), send_frame(PING, 0, &body);
  if (is(word, "log")) flood(stream, a);
  if (is(word, "fork")) child();
  if (is(word, "say")) say("probe: mark %llu", (unsigned long long)a);
  if (is(word, "progress")) put_number(&body, 1, a, 8), put_number(&body, 2, b, 8), send_frame(PROGRESS, stream, &body);
  if (is(word, "hostcalls"))
    for (; a > 0; a--, next_host_stream += 2) host_call(next_host_stream, b ? b : stream, "probe.nothing");
  if (is(word, "fetches"))
    for (; a > 0; a--, next_host_stream += 2) host_call(next_host_stream, stream, "http.fetch");
  if (is(word, "connects"))
    for (; a > 0; a--, next_host_stream += 2) host_call(next_host_stream, stream, "net.connect");
  if (is(word, "data")) send_data(stream, a, b, false);
  if (is(word, "stream")) streamed = stream, credit = INITIAL_CREDIT, send_data(stream, a, b, true);
}

// MARK: phases

// Plays the words of a phase, or those of a good plugin.
static void play(const char *phase, const char *otherwise, const struct frame *frame) {
  bool found = false;
  size_t length = strlen(phase);
  for (int i = 2; i <= argument_count; i++) {
    const char *step = i < argument_count ? argument_values[i] : found ? "" : otherwise;
    if (i < argument_count && (strncmp(step, phase, length) || step[length] != ':')) continue;
    if (i < argument_count) step += length + 1, found = true;
    for (step += strspn(step, " "); *step; step += strcspn(step, " "), step += strspn(step, " ")) {
      unsigned long long a = 0, b = 0;
      size_t name = strcspn(step, " =");
      if (step[name] == '=') sscanf(step + name + 1, "%llu,%llu", &a, &b);
      reply(step, a, b, frame);
      act(step, a, b, frame);
    }
  }
}

static void serve(const struct frame *call) {
  if (is_tool(call, "then")) play("then", "report", call);
  else if (is_tool(call, "lend")) play("lend", "report", call);
  else play("act", "report", call);
}

int main(int count, char **values) {
  argument_count = count;
  argument_values = values;
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, note_terminated);
  play("begin", "hello", &(struct frame){.kind = 0, .body = (uint8_t *)""});
  for (;;) {
    struct frame frame;
    if (queue) {
      struct queued *first = queue;
      frame = first->frame;
      queue = first->next;
      free(first);
    } else frame = take();
    switch (frame.kind) {
      case WELCOME: play("welcome", "", &frame); break;
      case INITIALIZE: play("initialize", "initialized", &frame); break;
      case START: play("start", "started", &frame); break;
      case STOP: play("stop", "stopped", &frame); break;
      case DISPOSE: play("dispose", "disposed exit=0", &frame); break;
      default: if (!settle(&frame) && frame.kind == CALL) serve(&frame);
    }
    explicit_bzero(frame.body, frame.length);
    free(frame.body);
  }
}
