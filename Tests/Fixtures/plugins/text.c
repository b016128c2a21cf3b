#define _GNU_SOURCE
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void reserve(struct text *text, size_t extra) {
  if (text->length + extra < text->capacity) return;
  text->capacity = 2 * (text->length + extra) + 64;
  text->bytes = realloc(text->bytes, text->capacity);
  if (!text->bytes) _exit(1);
}

void text_add(struct text *text, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0) return;
  reserve(text, (size_t)length + 1);
  va_start(arguments, format);
  vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
  va_end(arguments);
  text->length += (size_t)length;
}

void text_add_string(struct text *text, const void *bytes, size_t length) {
  const unsigned char *rest = bytes;
  text_add(text, "\"");
  for (size_t i = 0; i < length; i++) {
    if (rest[i] >= 0x20 && rest[i] < 0x7f && rest[i] != '"' && rest[i] != '\\') text_add(text, "%c", rest[i]);
    else text_add(text, "\\u%04x", rest[i]);
  }
  text_add(text, "\"");
}

bool json_member(struct slice json, const char *name, char *value, size_t capacity) {
  char key[64];
  int length = snprintf(key, sizeof key, "\"%s\"", name);
  const uint8_t *found = memmem(json.bytes, json.length, key, (size_t)length);
  if (!found) return false;
  const uint8_t *end = json.bytes + json.length;
  found += length;
  while (found < end && (*found == ' ' || *found == ':' || *found == '\n' || *found == '\t')) found++;
  bool quoted = found < end && *found == '"';
  if (quoted) found++;
  size_t count = 0;
  for (; found < end && count + 1 < capacity; found++) {
    if (quoted ? *found == '"' : !strchr("-+.eE0123456789", *found)) break;
    if (quoted && *found == '\\' && found + 1 < end) found++;
    value[count++] = (char)*found;
  }
  value[count] = 0;
  return true;
}

bool slice_is(struct slice slice, const char *text) {
  return slice.length == strlen(text) && memcmp(slice.bytes, text, slice.length) == 0;
}
