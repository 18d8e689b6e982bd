/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/json.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/path.h"
#include "base/str.h"

enum { MAX_DEPTH = 64 };

void cleanup_json(struct json_object **doc)
{
	json_object_put(*doc);
}

static int bad_text(const char *text, size_t at, const char *why, struct err *e)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < at; i++) {
		column = text[i] == '\n' ? 1 : column + 1;
		line += text[i] == '\n';
	}
	return err_set(e, "line %zu, column %zu: %s", line, column, why);
}

/* The library makes the nearest 64-bit value of a whole number that is larger; a file that we edit must not change so.
 */
static int check_number(const char *text, size_t at, size_t n, struct err *e)
{
	char buf[32];

	if (memchr(text + at, '.', n) || memchr(text + at, 'e', n) || memchr(text + at, 'E', n))
		return 0;
	errno = 0;
	if (n < sizeof(buf)) {
		memcpy(buf, text + at, n);
		buf[n] = '\0';
		if (*buf == '-')
			strtoll(buf, NULL, 10);
		else
			strtoull(buf, NULL, 10);
	}
	return n < sizeof(buf) && !errno ? 0 : bad_text(text, at, "the number does not fit into 64 bits", e);
}

static int check_numbers(const char *text, size_t len, struct err *e)
{
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		size_t start = i;

		if (quoted && text[i] == '\\') {
			i++;
		} else if (text[i] == '"') {
			quoted = !quoted;
		} else if (!quoted && memchr("-0123456789", text[i], 11)) {
			while (i + 1 < len && memchr("-+.eE0123456789", text[i + 1], 15))
				i++;
			if (check_number(text, start, i + 1 - start, e) < 0)
				return -1;
		}
	}
	return 0;
}

int json_parse(const char *text, size_t len, struct json_object **out, struct err *e)
{
	struct json_tokener *tok;
	cleanup(json) struct json_object *doc = NULL;
	enum json_tokener_error why;
	size_t end;

	if (len > INT_MAX)
		return err_set(e, "too large for a JSON text (%zu bytes)", len);
	tok = json_tokener_new_ex(MAX_DEPTH);
	if (!tok)
		die_no_memory();
	json_tokener_set_flags(tok,
			       JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8 | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	doc = json_tokener_parse_ex(tok, text, (int)len);
	why = json_tokener_get_error(tok);
	end = json_tokener_get_parse_end(tok);
	json_tokener_free(tok);
	if (why == json_tokener_continue)
		return bad_text(text, len, "the text ends too early", e);
	if (why != json_tokener_success)
		return bad_text(text, end, json_tokener_error_desc(why), e);
	if (!json_object_is_type(doc, json_type_object))
		return bad_text(text, 0, "expected an object", e);
	for (; end < len; end++)
		if (!memchr(" \t\r\n", text[end], 4))
			return bad_text(text, end, "text after the end of the object", e);
	if (check_numbers(text, len, e) < 0)
		return -1;
	*out = take_ptr(&doc);
	return 0;
}

int json_load(int dir_fd, const char *name, size_t max, struct json_object **out, struct err *e)
{
	cleanup(free) char *text = NULL;
	size_t len;

	if (path_read_file(dir_fd, name, max, &text, &len, NULL, e) < 0)
		return -1;
	return json_parse(text, len, out, e) < 0 ? err_wrap(e, "%s", name) : 0;
}

int json_write(int dir_fd, const char *name, struct json_object *doc, mode_t mode, struct err *e)
{
	size_t len;
	const char *text =
		json_object_to_json_string_length(doc, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

	if (!text)
		die_no_memory();
	return path_write_new(dir_fd, name, text, len, mode, e);
}

/* The next reference token of a pointer, its ~0 and ~1 undone; *p moves behind it. The caller frees it. */
static char *next_token(const char **p)
{
	size_t n = strcspn(*p + 1, "/");
	char *token = xstrndup(*p + 1, n), *to = token;

	*p += 1 + n;
	for (char *from = token; *from; from++) {
		if (*from == '~' && (from[1] == '0' || from[1] == '1'))
			*to++ = *++from == '0' ? '~' : '/';
		else
			*to++ = *from;
	}
	*to = '\0';
	return token;
}

static struct json_object *member(struct json_object *in, const char *token)
{
	struct json_object *value = NULL;
	uint32_t i;

	if (json_object_is_type(in, json_type_object))
		json_object_object_get_ex(in, token, &value);
	else if (json_object_is_type(in, json_type_array) && parse_u32(token, 0, UINT32_MAX, &i, NULL) == 0)
		value = json_object_array_get_idx(in, i);
	return value;
}

struct json_object *json_at(struct json_object *doc, const char *pointer)
{
	while (doc && *pointer == '/') {
		cleanup(free) char *token = next_token(&pointer);

		doc = member(doc, token);
	}
	return doc;
}

/* 1: *value is of TYPE; 0: there is none; -1: an error. */
static int typed(struct json_object *doc, const char *pointer, enum json_type type, const char *what,
		 struct json_object **value, struct err *e)
{
	*value = json_at(doc, pointer);
	if (!*value)
		return 0;
	if (!json_object_is_type(*value, type))
		return err_set(e, "%s: expected %s", *pointer ? pointer : "/", what);
	return 1;
}

static int plain_string(struct json_object *value, const char *pointer, const char **out, struct err *e)
{
	const char *s = json_object_get_string(value);

	if (strlen(s) != (size_t)json_object_get_string_len(value))
		return err_set(e, "%s: the string holds a NUL byte", pointer);
	*out = s;
	return 0;
}

int json_get_string(struct json_object *doc, const char *pointer, const char **out, struct err *e)
{
	struct json_object *value;
	int r = typed(doc, pointer, json_type_string, "a string", &value, e);

	return r <= 0 ? r : plain_string(value, pointer, out, e);
}

int json_get_bool(struct json_object *doc, const char *pointer, bool *out, struct err *e)
{
	struct json_object *value;
	int r = typed(doc, pointer, json_type_boolean, "true or false", &value, e);

	if (r > 0)
		*out = json_object_get_boolean(value);
	return r < 0 ? -1 : 0;
}

int json_get_u64(struct json_object *doc, const char *pointer, uint64_t max, uint64_t *out, struct err *e)
{
	struct json_object *value = json_at(doc, pointer);
	uint64_t n;

	if (!value)
		return 0;
	if (!json_object_is_type(value, json_type_int) ||
	    (json_object_get_int64(value) < 0 && json_object_get_uint64(value) == 0))
		return err_set(e, "%s: expected a whole number from 0 to %" PRIu64, pointer, max);
	n = json_object_get_uint64(value);
	if (n > max)
		return err_set(e, "%s: %" PRIu64 " is more than %" PRIu64, pointer, n, max);
	*out = n;
	return 0;
}

int json_get_u32(struct json_object *doc, const char *pointer, uint32_t *out, struct err *e)
{
	uint64_t n = *out;

	if (json_get_u64(doc, pointer, UINT32_MAX, &n, e) < 0)
		return -1;
	*out = (uint32_t)n;
	return 0;
}

int json_get_object(struct json_object *doc, const char *pointer, struct json_object **out, struct err *e)
{
	struct json_object *value;
	int r = typed(doc, pointer, json_type_object, "an object", &value, e);

	if (r > 0)
		*out = value;
	return r < 0 ? -1 : 0;
}

int json_get_array(struct json_object *doc, const char *pointer, struct json_object **out, struct err *e)
{
	struct json_object *value;
	int r = typed(doc, pointer, json_type_array, "an array", &value, e);

	if (r > 0)
		*out = value;
	return r < 0 ? -1 : 0;
}

int json_get_strings(struct json_object *doc, const char *pointer, char ***out, struct err *e)
{
	struct json_object *array;
	cleanup(strv) char **v = NULL;
	int r = typed(doc, pointer, json_type_array, "an array of strings", &array, e);

	if (r <= 0)
		return r;
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *value = json_object_array_get_idx(array, i);
		const char *s = NULL;

		if (!json_object_is_type(value, json_type_string))
			return err_set(e, "%s/%zu: expected a string", pointer, i);
		if (plain_string(value, pointer, &s, e) < 0)
			return -1;
		strv_push(&v, s);
	}
	*out = v ? take_ptr(&v) : strv_copy(NULL);
	return 0;
}

static int put_member(struct json_object *in, const char *token, struct json_object *value, const char *pointer,
		      struct err *e)
{
	uint32_t i;
	int r = -1;

	if (json_object_is_type(in, json_type_object))
		r = json_object_object_add(in, token, value);
	else if (!json_object_is_type(in, json_type_array))
		err_set(e, "%s: it lies below something that is neither an object nor an array", pointer);
	else if (strcmp(token, "-") == 0)
		r = json_object_array_add(in, value);
	else if (parse_u32(token, 0, UINT32_MAX, &i, NULL) < 0 || i >= json_object_array_length(in))
		err_set(e, "%s: there is no such element", pointer);
	else
		r = json_object_array_put_idx(in, i, value);
	if (r < 0)
		json_object_put(value);
	return r;
}

int json_set(struct json_object *doc, const char *pointer, struct json_object *value, struct err *e)
{
	const char *p = pointer;

	while (*p == '/') {
		cleanup(free) char *token = next_token(&p);
		struct json_object *next;

		if (!*p)
			return put_member(doc, token, value, pointer, e);
		next = member(doc, token);
		if (!next) {
			next = json_object_new_object();
			if (put_member(doc, token, next, pointer, e) < 0)
				break;
		}
		doc = next;
	}
	json_object_put(value);
	return -1;
}

int json_set_string(struct json_object *doc, const char *pointer, const char *value, struct err *e)
{
	return json_set(doc, pointer, json_object_new_string(value), e);
}

int json_set_bool(struct json_object *doc, const char *pointer, bool value, struct err *e)
{
	return json_set(doc, pointer, json_object_new_boolean(value), e);
}

void json_remove(struct json_object *doc, const char *pointer)
{
	while (doc && *pointer == '/') {
		cleanup(free) char *token = next_token(&pointer);

		if (!*pointer) {
			if (json_object_is_type(doc, json_type_object))
				json_object_object_del(doc, token);
			return;
		}
		doc = member(doc, token);
	}
}

struct json_object *json_from_strings(char *const *v)
{
	struct json_object *array = json_object_new_array();

	for (; v && *v; v++)
		json_object_array_add(array, json_object_new_string(*v));
	return array;
}
