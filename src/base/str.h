/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_STR_H
#define BERTH_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

/* A string under construction. data is NUL-terminated once anything was added, and may hold NUL bytes before that. */
struct strbuf {
	char *data;
	size_t len, cap;
};

#define STRBUF_INIT ((struct strbuf){ 0 })

void strbuf_add(struct strbuf *b, const void *data, size_t len);
void strbuf_adds(struct strbuf *b, const char *s);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds S as one word of a POSIX shell's command line, for people to read and paste; never to be executed by us. */
void strbuf_addquoted(struct strbuf *b, const char *s);
/* Gives the text away (never NULL) and leaves the buffer empty. */
char *strbuf_take(struct strbuf *b);
void strbuf_free(struct strbuf *b);
void cleanup_strbuf(struct strbuf *b);

/* A NULL-terminated array of strings, as argv and environ are. NULL is the empty one. Both levels are owned. */
size_t strv_len(char *const *v);
void strv_push(char ***v, const char *s); /* copies S */
void strv_push_own(char ***v, char *s);	  /* takes S */
char **strv_copy(char *const *v);	  /* never NULL */
bool strv_has(char *const *v, const char *s);
void strv_free(char **v);
void cleanup_strv(char ***v);
/* The words as a command line for people to read. The caller frees it. */
char *strv_quoted(char *const *v);

/* Splits S at every character of SEPS; empty fields are kept. Empty or NULL S gives the empty array. */
char **str_split(const char *s, const char *seps);
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
/* In place; returns the first byte that is not white space. */
char *str_trim(char *s);

#endif
