/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tar.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "image/tar_header.h"

enum {
	MAX_EXTENSION = 1 << 20, /* of a pax header or a long name */
	MAX_SEGMENTS = 65536,	 /* of a sparse file */
	CHUNK = 128 << 10,
};

/* What comes before an entry and speaks of it: pax records and GNU's long names. */
struct overrides {
	char *name, *link;
	bool has_size, has_mtime, has_xattrs;
	uint64_t size;
	struct timespec mtime;
	bool sparse, sparse_map_in_data;
	uint64_t real_size;
};

struct tar {
	tar_read_fn *read;
	void *arg;
	struct overrides ov;
	char *name, *link;
	uint64_t left;	  /* of the entry's data in the stream */
	uint64_t padding; /* behind it */
	struct segment {
		uint64_t offset, length;
	} * segments;
	size_t n_segments, segment; /* the one being read; used for sparse files only */
	uint64_t segment_done;
	uint64_t offset, size; /* place in the file, its size */
	bool sparse;
	char *chunk;
};

static void overrides_clear(struct overrides *o)
{
	free(o->name);
	free(o->link);
	*o = (struct overrides){ 0 };
}

struct tar *tar_new(tar_read_fn *read, void *arg)
{
	struct tar *t = xcalloc(1, sizeof(*t));

	t->read = read;
	t->arg = arg;
	t->chunk = xcalloc(1, CHUNK);
	return t;
}

void tar_free(struct tar *t)
{
	if (!t)
		return;
	overrides_clear(&t->ov);
	free(t->name);
	free(t->link);
	free(t->segments);
	free(t->chunk);
	free(t);
}

void cleanup_tar(struct tar **t)
{
	tar_free(*t);
}

static int read_exactly(struct tar *t, void *buf, size_t n, struct err *e)
{
	ssize_t got = t->read(t->arg, buf, n, e);

	if (got < 0)
		return -1;
	return (size_t)got == n ? 0 : err_set(e, "the archive ends too early");
}

static int skip(struct tar *t, uint64_t n, struct err *e)
{
	while (n) {
		size_t now = n < CHUNK ? (size_t)n : CHUNK;

		if (read_exactly(t, t->chunk, now, e) < 0)
			return -1;
		n -= now;
	}
	return 0;
}

static uint64_t padding_of(uint64_t size)
{
	return (TAR_BLOCK_SIZE - size % TAR_BLOCK_SIZE) % TAR_BLOCK_SIZE;
}

/* The whole data of a header that extends the next one, NUL-terminated. */
static int read_extension(struct tar *t, uint64_t size, char **out, struct err *e)
{
	char *text;

	if (size > MAX_EXTENSION)
		return err_set(e, "an extended header of %llu bytes; at most %d are read", (unsigned long long)size,
			       MAX_EXTENSION);
	text = xcalloc(1, (size_t)size + 1);
	if (read_exactly(t, text, (size_t)size, e) < 0 || skip(t, padding_of(size), e) < 0) {
		free(text);
		return -1;
	}
	*out = text;
	return 0;
}

static int add_segment(struct tar *t, uint64_t offset, uint64_t length, struct err *e)
{
	const struct segment *last = t->n_segments ? &t->segments[t->n_segments - 1] : NULL;

	if (t->n_segments >= MAX_SEGMENTS)
		return err_set(e, "a sparse file of more than %d pieces", MAX_SEGMENTS);
	if (length > INT64_MAX - 1 || offset > INT64_MAX - length || (last && offset < last->offset + last->length))
		return err_set(e, "the map of a sparse file is damaged");
	if (t->n_segments % 64 == 0)
		t->segments = xrealloc(t->segments, t->n_segments + 64, sizeof(*t->segments));
	t->segments[t->n_segments++] = (struct segment){ offset, length };
	return 0;
}

/* "offset,length,offset,length..." of GNU's sparse format 0.1. */
static int sparse_list(struct tar *t, char *list, struct err *e)
{
	char **v = str_split(list, ",");
	size_t n = strv_len(v);
	int r = n % 2 ? err_set(e, "the map of a sparse file is damaged") : 0;

	t->n_segments = 0;
	for (size_t i = 0; r == 0 && i + 1 < n; i += 2) {
		uint64_t offset, length;

		r = parse_u64(v[i], 0, INT64_MAX, &offset, e) < 0 ||
				    parse_u64(v[i + 1], 0, INT64_MAX, &length, e) < 0 ||
				    add_segment(t, offset, length, e) < 0
			    ? -1
			    : 0;
	}
	strv_free(v);
	return r;
}

static int sparse_record(struct tar *t, const char *key, char *value, struct err *e)
{
	struct overrides *o = &t->ov;
	uint64_t n;

	o->sparse = true;
	if (strcmp(key, "name") == 0) {
		free(o->name);
		o->name = xstrdup(value);
		return 0;
	}
	if (strcmp(key, "map") == 0)
		return sparse_list(t, value, e);
	if (parse_u64(value, 0, INT64_MAX, &n, e) < 0)
		return err_wrap(e, "GNU.sparse.%.32s", key);
	if (strcmp(key, "major") == 0)
		o->sparse_map_in_data = n == 1;
	else if (strcmp(key, "size") == 0 || strcmp(key, "realsize") == 0)
		o->real_size = n;
	else if (strcmp(key, "offset") == 0)
		return add_segment(t, n, 0, e);
	else if (strcmp(key, "numbytes") == 0 && t->n_segments &&
		 n <= INT64_MAX - t->segments[t->n_segments - 1].offset)
		t->segments[t->n_segments - 1].length = n;
	return 0;
}

static int pax_record(struct tar *t, const char *key, char *value, size_t len, struct err *e)
{
	struct overrides *o = &t->ov;

	if (strcmp(key, "path") == 0 || strcmp(key, "linkpath") == 0) {
		char **to = *key == 'p' ? &o->name : &o->link;

		if (strlen(value) != len)
			return err_set(e, "a name with a NUL byte");
		/* GNU.sparse.name is the real one beside a made-up path. */
		if (*key == 'p' && o->sparse && o->name)
			return 0;
		free(*to);
		*to = xstrdup(value);
	} else if (strcmp(key, "size") == 0) {
		o->has_size = true;
		return parse_u64(value, 0, INT64_MAX, &o->size, e) < 0 ? err_wrap(e, "size") : 0;
	} else if (strcmp(key, "mtime") == 0) {
		o->has_mtime = tar_parse_time(value, &o->mtime);
	} else if (str_starts(key, "GNU.sparse.")) {
		return sparse_record(t, key + strlen("GNU.sparse."), value, e);
	} else if (str_starts(key, "SCHILY.xattr.") || str_starts(key, "LIBARCHIVE.xattr.") ||
		   str_starts(key, "SCHILY.acl.")) {
		o->has_xattrs = true;
	}
	return 0;
}

/* "LENGTH KEY=VALUE\n" records. */
static int pax_header(struct tar *t, char *text, size_t len, struct err *e)
{
	while (len) {
		char *space = memchr(text, ' ', len < 20 ? len : 20), *equals;
		uint64_t n;

		if (!space)
			return err_set(e, "a damaged pax header");
		*space = '\0';
		if (parse_u64(text, 5, len, &n, NULL) < 0 || text[n - 1] != '\n')
			return err_set(e, "a damaged pax header");
		text[n - 1] = '\0';
		equals = strchr(space + 1, '=');
		if (!equals || equals > text + n - 1)
			return err_set(e, "a damaged pax header");
		*equals = '\0';
		if (pax_record(t, space + 1, equals + 1, (size_t)(text + n - 1 - (equals + 1)), e) < 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* 1 where the header only said something of the next one. */
static int take_extension(struct tar *t, const struct tar_header *h, uint64_t size, struct err *e)
{
	char *text = NULL;
	int r = 1;

	switch (h->type) {
	case 'x':
	case 'X':
		if (read_extension(t, size, &text, e) < 0)
			return -1;
		t->n_segments = 0;
		r = pax_header(t, text, (size_t)size, e) < 0 ? -1 : 1;
		free(text);
		return r;
	case 'L':
	case 'K':
		if (read_extension(t, size, &text, e) < 0)
			return -1;
		free(h->type == 'L' ? t->ov.name : t->ov.link);
		*(h->type == 'L' ? &t->ov.name : &t->ov.link) = text;
		return 1;
	case 'g':
	case 'V':
		return skip(t, size + padding_of(size), e) < 0 ? -1 : 1;
	default:
		return 0;
	}
}

static int type_of(const struct tar_header *h, const char *name, enum tar_type *out, struct err *e)
{
	switch (h->type) {
	case '\0':
	case '0':
	case '7':
	case 'S':
		*out = str_ends(name, "/") ? TAR_DIR : TAR_FILE;
		return 0;
	case '1':
		*out = TAR_HARDLINK;
		return 0;
	case '2':
		*out = TAR_SYMLINK;
		return 0;
	case '3':
		*out = TAR_CHAR;
		return 0;
	case '4':
		*out = TAR_BLOCK;
		return 0;
	case '5':
	case 'D':
		*out = TAR_DIR;
		return 0;
	case '6':
		*out = TAR_FIFO;
		return 0;
	default:
		return err_set(e, "an entry of unknown type '%c'", h->type > ' ' && h->type < 127 ? h->type : '?');
	}
}

/* The old GNU format keeps the map in the header and in blocks that follow it. */
static int gnu_sparse(struct tar *t, const unsigned char *block, uint64_t *real_size, struct err *e)
{
	unsigned char more[TAR_BLOCK_SIZE];
	bool again = block[482] != 0;
	uint64_t at, n;

	t->n_segments = 0;
	if (!tar_number(block + 483, 12, real_size))
		return err_set(e, "the size of a sparse file is damaged");
	for (const unsigned char *p = block + 386; p < block + 482; p += 24)
		if (*p && (!tar_number(p, 12, &at) || !tar_number(p + 12, 12, &n) || add_segment(t, at, n, e) < 0))
			return err_set(e, "the map of a sparse file is damaged");
	while (again) {
		if (read_exactly(t, more, sizeof(more), e) < 0)
			return -1;
		for (const unsigned char *p = more; p < more + 504; p += 24)
			if (*p &&
			    (!tar_number(p, 12, &at) || !tar_number(p + 12, 12, &n) || add_segment(t, at, n, e) < 0))
				return err_set(e, "the map of a sparse file is damaged");
		again = more[504] != 0;
		if (!*more)
			return err_set(e, "the map of a sparse file is damaged");
	}
	return 0;
}

/* One decimal line of the map that sparse format 1.0 puts before the data. */
static int map_line(struct tar *t, char block[TAR_BLOCK_SIZE], size_t *at, uint64_t *out, struct err *e)
{
	char digits[24];
	size_t n = 0;

	for (;;) {
		if (*at == TAR_BLOCK_SIZE) {
			if (t->left < TAR_BLOCK_SIZE || read_exactly(t, block, TAR_BLOCK_SIZE, e) < 0)
				return err_set(e, "the map of a sparse file is damaged");
			t->left -= TAR_BLOCK_SIZE;
			*at = 0;
		}
		if (block[*at] == '\n' || n + 1 == sizeof(digits))
			break;
		digits[n++] = block[(*at)++];
	}
	digits[n] = '\0';
	(*at)++;
	return parse_u64(digits, 0, INT64_MAX, out, NULL) < 0 ? err_set(e, "the map of a sparse file is damaged") : 0;
}

static int map_in_data(struct tar *t, struct err *e)
{
	char block[TAR_BLOCK_SIZE];
	size_t at = sizeof(block);
	uint64_t count, offset, length;

	t->n_segments = 0;
	if (map_line(t, block, &at, &count, e) < 0)
		return -1;
	while (count--)
		if (map_line(t, block, &at, &offset, e) < 0 || map_line(t, block, &at, &length, e) < 0 ||
		    add_segment(t, offset, length, e) < 0)
			return -1;
	return 0;
}

static int check_map(const struct tar *t, struct err *e)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->n_segments; i++) {
		if (t->segments[i].offset + t->segments[i].length > t->size ||
		    (i && t->segments[i].offset < t->segments[i - 1].offset + t->segments[i - 1].length))
			return err_set(e, "the map of a sparse file is damaged");
		sum += t->segments[i].length;
	}
	return sum == t->left ? 0 : err_set(e, "the map of a sparse file is damaged");
}

static void take_name(char **to, char **override, const char *field)
{
	free(*to);
	*to = *override ? *override : xstrdup(field);
	*override = NULL;
}

/* Sets up the entry whose header was read; its map and extensions are known. */
static int begin(struct tar *t, const struct tar_header *h, const unsigned char *block, struct tar_entry *out,
		 struct err *e)
{
	uint64_t in_stream = t->ov.has_size ? t->ov.size : h->size, real_size = t->ov.real_size;
	bool old_sparse = h->type == 'S';

	take_name(&t->name, &t->ov.name, h->name);
	take_name(&t->link, &t->ov.link, h->link);
	*out = (struct tar_entry){ .name = t->name, .link = t->link, .mode = h->mode };
	if (!*t->name)
		return err_set(e, "an entry without a name");
	if (type_of(h, t->name, &out->type, e) < 0)
		return -1;
	out->mtime = t->ov.has_mtime ? t->ov.mtime : (struct timespec){ .tv_sec = h->mtime };
	out->has_xattrs = t->ov.has_xattrs;
	/* A hard link's size may be its target's; only files have data here, and a folder list (type D) is skipped. */
	if (out->type != TAR_FILE && h->type != 'D')
		in_stream = 0;
	t->left = in_stream;
	t->padding = padding_of(in_stream);
	t->size = in_stream;
	t->offset = t->segment = t->segment_done = 0;
	t->sparse = out->type == TAR_FILE && (old_sparse || t->ov.sparse);
	if (t->sparse) {
		if (old_sparse && gnu_sparse(t, block, &real_size, e) < 0)
			return -1;
		if (!old_sparse && t->ov.sparse_map_in_data && map_in_data(t, e) < 0)
			return -1;
		t->size = real_size;
		if (check_map(t, e) < 0)
			return -1;
	}
	out->size = out->type == TAR_FILE ? t->size : 0;
	return 1;
}

/* 1 with a header, 0 at the end: two empty blocks, or the end of the stream at a block's boundary after one entry. */
static int next_header(struct tar *t, unsigned char *block, struct tar_header *h, struct err *e)
{
	for (int empty = 0; empty < 2;) {
		ssize_t n = t->read(t->arg, block, TAR_BLOCK_SIZE, e);

		if (n < 0)
			return -1;
		if (n == 0)
			return 0;
		if (n != TAR_BLOCK_SIZE)
			return err_set(e, "the archive ends too early");
		if (!tar_block_is_empty(block))
			return tar_header_parse(block, h, e) < 0 ? -1 : 1;
		empty++;
	}
	return 0;
}

int tar_next(struct tar *t, struct tar_entry *out, struct err *e)
{
	unsigned char block[TAR_BLOCK_SIZE];
	struct tar_header h;
	bool extended = false;
	int r;

	if (skip(t, t->left, e) < 0 || skip(t, t->padding, e) < 0)
		return -1;
	t->left = t->padding = 0;
	overrides_clear(&t->ov);
	for (;;) {
		r = next_header(t, block, &h, e);
		if (r == 0 && extended)
			return err_set(e, "the archive ends too early");
		if (r <= 0)
			return r < 0 && t->name ? err_wrap(e, "after %.200s", t->name) : r;
		r = take_extension(t, &h, h.size, e);
		if (r < 0)
			return t->name ? err_wrap(e, "after %.200s", t->name) : -1;
		if (r == 0)
			break;
		extended = true;
	}
	r = begin(t, &h, block, out, e);
	return r < 0 ? err_wrap(e, "%.200s", t->name) : r;
}

ssize_t tar_data(struct tar *t, const void **data, uint64_t *offset, struct err *e)
{
	uint64_t n = t->left < CHUNK ? t->left : CHUNK;

	if (t->sparse) {
		while (t->segment < t->n_segments && t->segment_done == t->segments[t->segment].length) {
			t->segment++;
			t->segment_done = 0;
		}
		if (t->segment < t->n_segments) {
			const struct segment *s = &t->segments[t->segment];

			n = s->length - t->segment_done < n ? s->length - t->segment_done : n;
			t->offset = s->offset + t->segment_done;
			t->segment_done += n;
		}
	}
	if (!n)
		return 0;
	if (read_exactly(t, t->chunk, (size_t)n, e) < 0)
		return -1;
	t->left -= n;
	*data = t->chunk;
	*offset = t->offset;
	t->offset += n;
	return (ssize_t)n;
}
