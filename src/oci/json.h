/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_OCI_JSON_H
#define BERTH_OCI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <json-c/json_object.h>

#include "base/err.h"

/*
 * JSON through json-c, with errors that name the place by its JSON pointer (RFC 6901): "/process/args: expected an
 * array of strings". A document is an object; integers up to 2^64-1, the text of other numbers, empty objects and the
 * order of members are kept when it is written again. Nesting is at most 64 deep.
 */

enum { JSON_MAX_FILE = 16 << 20 };

/* The document is for json_object_put. A text that is no JSON is an error that names line and column. */
int json_parse(const char *text, size_t len, struct json_object **out, struct err *e);
/* Reads a file of at most MAX bytes (path_read_file). */
int json_load(int dir_fd, const char *name, size_t max, struct json_object **out, struct err *e);
/* Makes a new file with exactly MODE. */
int json_write(int dir_fd, const char *name, struct json_object *doc, mode_t mode, struct err *e);
void cleanup_json(struct json_object **doc);

/*
 * The value at POINTER, borrowed; NULL where a member on the way is missing. "null" counts as missing, and so does
 * whatever lies below something that is neither object nor array (reading that something by its type says so).
 */
struct json_object *json_at(struct json_object *doc, const char *pointer);

/*
 * Typed reading: 0 with *out, or -1 where the value is there and of another type. Where it is missing, *out stays as
 * it is, so the caller puts the default there first. Results are borrowed but for json_get_strings'. A string with a
 * NUL byte inside is refused, since every use of it would see less than the file says.
 */
int json_get_string(struct json_object *doc, const char *pointer, const char **out, struct err *e);
int json_get_bool(struct json_object *doc, const char *pointer, bool *out, struct err *e);
int json_get_u64(struct json_object *doc, const char *pointer, uint64_t max, uint64_t *out, struct err *e);
int json_get_u32(struct json_object *doc, const char *pointer, uint32_t *out, struct err *e);
int json_get_object(struct json_object *doc, const char *pointer, struct json_object **out, struct err *e);
int json_get_array(struct json_object *doc, const char *pointer, struct json_object **out, struct err *e);
/* An array of strings as a strv array, for strv_free. */
int json_get_strings(struct json_object *doc, const char *pointer, char ***out, struct err *e);

/*
 * Puts VALUE (taken, also on failure) at POINTER; missing objects on the way are made. A member on the way that is
 * something else than an object is an error. An array's index must exist, or be "-" for its end.
 */
int json_set(struct json_object *doc, const char *pointer, struct json_object *value, struct err *e);
int json_set_string(struct json_object *doc, const char *pointer, const char *value, struct err *e);
int json_set_bool(struct json_object *doc, const char *pointer, bool value, struct err *e);
/* Removes a member; one that is missing is no error. */
void json_remove(struct json_object *doc, const char *pointer);
/* A new array of strings. */
struct json_object *json_from_strings(char *const *v);

#endif
