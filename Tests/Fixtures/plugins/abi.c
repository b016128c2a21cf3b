// One conversation with the host: sections 5 to 7 of the specification.
#define _GNU_SOURCE
#include "abi.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t stop_deadline = 0, cancelled_stream = 0;
static struct queued { struct frame frame; struct queued *next; } *queue = NULL;

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static void read_credentials(const struct frame *frame, struct call *call) {
  struct slice rest = {frame->body, frame->length}, value, inner;
  uint16_t tag;
  while (abi_next(&rest, &tag, &value)) {
    if (tag != 0x8001) continue;
    if (call->credential_count == CREDENTIAL_LIMIT) abi_give_up("malformed-frame", "too many credentials");
    struct credential *credential = &call->credentials[call->credential_count++];
    while (abi_next(&value, &tag, &inner)) {
      if (tag == 1) credential->name = inner;
      else if (tag == 2) credential->value = inner;
      else if (tag & 0x8000) abi_give_up("unknown-critical-field", "in a credential");
    }
    if (!credential->name.bytes || !credential->value.bytes) abi_give_up("missing-field", "in a credential");
  }
}

static void serve(const struct plugin *plugin, struct frame *frame) {
  struct call call = {.stream = frame->stream};
  call.tool = abi_find(frame, 1, 0);
  call.arguments = abi_find(frame, 2, 0);
  call.deadline = abi_integer(abi_find(frame, 3, 8).bytes, 8);
  call.request_id = abi_find(frame, 4, 0);
  read_credentials(frame, &call);
  plugin->call(&call);
}

static void pong(const struct frame *frame) {
  struct writer writer = {0};
  abi_number(&writer, 1, abi_integer(abi_find(frame, 1, 8).bytes, 8), 8);
  abi_send(PONG, 0, &writer);
}

// What may arrive while a call runs: another call (queued), a cancel, a ping or a stop.
bool abi_wait(uint64_t stream, int milliseconds) {
  uint64_t end = now() + (uint64_t)milliseconds;
  for (;;) {
    if (cancelled_stream == stream || (stop_deadline && now() + 500 > stop_deadline)) return true;
    uint64_t time = now();
    if (time >= end) return false;
    struct pollfd socket = {.fd = SOCKET, .events = POLLIN};
    if (poll(&socket, 1, end - time > 100 ? 100 : (int)(end - time)) <= 0) continue;
    struct frame frame = abi_read(BODY_LIMIT);
    if (frame.kind == CALL) {
      struct queued *entry = malloc(sizeof *entry), **last = &queue;
      if (!entry) _exit(1);
      *entry = (struct queued){frame, NULL};
      while (*last) last = &(*last)->next;
      *last = entry;
      continue;  // the queue owns it now
    }
    if (frame.kind == CANCEL) {
      if (frame.stream == stream) cancelled_stream = stream;
      for (struct queued *entry = queue; entry; entry = entry->next)  // one that waits is answered when its turn comes
        if (entry->frame.stream == frame.stream) entry->frame.kind = CANCEL;
    } else if (frame.kind == PING) pong(&frame);
    else if (frame.kind == STOP) stop_deadline = abi_integer(abi_find(&frame, 1, 8).bytes, 8) | 1;
    else if (frame.kind == ABORT) _exit(1);
    abi_drop(&frame);
  }
}

static struct frame next_frame(size_t limit) {
  if (!queue) return abi_read(limit);
  struct queued *first = queue;
  struct frame frame = first->frame;
  queue = first->next;
  free(first);
  if (frame.kind == CANCEL) {
    abi_cancelled(frame.stream, "before it began");
    frame.kind = PONG;  // nothing is left to do for it
  }
  return frame;
}

static void say_hello(const struct plugin *plugin) {
  struct writer writer = {0};
  abi_number(&writer, 1, plugin->minimum, 4);
  abi_number(&writer, 2, plugin->maximum, 4);
  abi_field(&writer, 3, plugin->name, strlen(plugin->name));
  abi_field(&writer, 4, "c-by-hand", 9);
  abi_send(HELLO, 0, &writer);
}

int abi_run(const struct plugin *plugin) {
  signal(SIGPIPE, SIG_IGN);
  say_hello(plugin);
  size_t limit = 4096;
  for (;;) {
    if (stop_deadline && !queue && !(plugin->intercept && plugin->intercept(STOP))) {
      stop_deadline = 0;
      abi_send(STOPPED, 0, NULL);
    }
    struct frame frame = next_frame(limit);
    bool done = plugin->intercept && frame.kind != STOP && plugin->intercept(frame.kind);
    uint32_t version;
    if (!done) switch (frame.kind) {
      case WELCOME:
        version = (uint32_t)abi_integer(abi_find(&frame, 1, 4).bytes, 4);
        if (version < plugin->minimum || version > plugin->maximum) abi_give_up("no-common-version", "update the host");
        limit = BODY_LIMIT;
        break;
      case INITIALIZE: abi_send(INITIALIZED, 0, NULL); break;
      case START: abi_send(STARTED, 0, NULL); break;
      case CALL: serve(plugin, &frame); break;
      case STOP: stop_deadline = abi_integer(abi_find(&frame, 1, 8).bytes, 8) | 1; break;
      case PING: pong(&frame); break;
      case DISPOSE: abi_send(DISPOSED, 0, NULL); return 0;
      case ABORT: return 1;
      default: break;  // late frames: pong, cancel, answers to host calls
    }
    abi_drop(&frame);
  }
}
