/* SPDX-License-Identifier: Apache-2.0 */
#include "image/stream.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/mem.h"

enum { BUFFER = 64 << 10, MAX_HEADERS = 16 << 20 };

/*
 * Source -> gunzip, where it is gzip -> BYTES, which undoes other compressions -> ARCHIVE. libarchive could do it all
 * at once, but reads over gzip's checksums, and no further than the archive's end, behind which others have theirs.
 */
struct stream {
	struct work *work;
	int in; /* the source; -1 at its end */
	unsigned char *buf, *plain;
	size_t at, len; /* what was read of the source and went nowhere yet */
	bool gzip, between_members;
	z_stream z;
	struct archive *bytes, *archive;
	bool empty;
	struct archive_entry *entry; /* NULL before the first */
	uint64_t size;		     /* of the entry */
	bool in_headers;
	int64_t headers_at; /* where in the archive they begin */
	struct err err;	    /* what kept us from reading; libarchive may say something else after it */
	bool failed;
};

/* Reads what the source has, blocking until that is something, the end, or a signal. */
static ssize_t fill(struct stream *s, struct err *e)
{
	struct pollfd p[2] = { { .fd = s->in, .events = POLLIN }, { .fd = s->work->signals, .events = POLLIN } };
	ssize_t n;

	if (s->in < 0)
		return 0;
	if (s->at == s->len)
		s->at = s->len = 0;
	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return err_sys(e, errno, "poll");
	if (p[1].revents)
		return work_interrupted(s->work, e);
	do
		n = read(s->in, s->buf + s->len, BUFFER - s->len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, errno, "read");
	if (n == 0)
		close(take_fd(&s->in));
	s->len += (size_t)n;
	s->work->in += (uint64_t)n;
	return n;
}

/* gzip's members may follow each other, and zeros them. */
static int next_member(struct stream *s, struct err *e)
{
	while (s->at < s->len && !s->buf[s->at])
		s->at++;
	if (s->at == s->len)
		return 0;
	if (s->buf[s->at] != 0x1f)
		return err_set(e, "something else follows what gzip compressed");
	s->between_members = false;
	return inflateReset(&s->z) == Z_OK ? 0 : err_set(e, "zlib");
}

/* Fills s->plain with a piece: its length, 0 at the end. */
static ssize_t gunzip(struct stream *s, struct err *e)
{
	for (;;) {
		ssize_t n = s->at < s->len ? 1 : fill(s, e);
		int r;

		if (n < 0 || (n == 0 && s->between_members))
			return n;
		if (n == 0)
			return err_set(e, "the gzip data ends too early");
		if (s->between_members && next_member(s, e) < 0)
			return -1;
		if (s->between_members)
			continue;
		s->z.next_in = s->buf + s->at;
		s->z.avail_in = (uInt)(s->len - s->at);
		s->z.next_out = s->plain;
		s->z.avail_out = BUFFER;
		r = inflate(&s->z, Z_NO_FLUSH);
		s->at = s->len - s->z.avail_in;
		s->between_members = r == Z_STREAM_END;
		if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
			return err_set(e, "gzip: %s", s->z.msg ? s->z.msg : "damaged data");
		if (s->z.avail_out < BUFFER)
			return BUFFER - (ssize_t)s->z.avail_out;
	}
}

static la_ssize_t give_up(struct stream *s, struct archive *a)
{
	s->failed = true;
	archive_set_error(a, EIO, "%s", s->err.msg);
	return ARCHIVE_FATAL;
}

static la_ssize_t read_source(struct archive *a, void *arg, const void **buf)
{
	struct stream *s = arg;
	ssize_t n;

	if (s->gzip) {
		n = gunzip(s, &s->err);
		*buf = s->plain;
	} else {
		n = s->at < s->len ? 1 : fill(s, &s->err);
		*buf = s->buf + s->at;
		if (n > 0)
			n = (ssize_t)(s->len - s->at);
		s->at = s->len;
	}
	return n < 0 ? give_up(s, a) : n;
}

static int failed(struct stream *s, struct archive *a, struct err *e)
{
	const char *text = archive_error_string(a);

	if (!s->failed)
		return err_set(e, "%s", text ? text : "a damaged archive");
	if (e && e != &s->err)
		*e = s->err;
	return -1;
}

/* The next piece of the archive, decompressed: its length, 0 at the end. */
static ssize_t read_plain(struct stream *s, const void **buf, struct err *e)
{
	la_int64_t offset;
	size_t n = 0;
	int r;

	do
		r = s->empty ? ARCHIVE_EOF : archive_read_data_block(s->bytes, buf, &n, &offset);
	while (r == ARCHIVE_OK && !n);
	if (r != ARCHIVE_OK && r != ARCHIVE_EOF)
		return failed(s, s->bytes, e);
	return r == ARCHIVE_EOF ? 0 : (ssize_t)n;
}

/* A sparse file's map is part of its headers, and libarchive keeps all of it, however long. */
static int bound_headers(const struct stream *s, struct err *e)
{
	if (s->in_headers && archive_filter_bytes(s->archive, 0) - s->headers_at > MAX_HEADERS)
		return err_set(e, "headers of more than %d bytes", MAX_HEADERS);
	return 0;
}

static la_ssize_t read_archive(struct archive *a, void *arg, const void **buf)
{
	struct stream *s = arg;
	ssize_t n = bound_headers(s, &s->err) < 0 ? -1 : read_plain(s, buf, &s->err);

	return n < 0 ? give_up(s, a) : n;
}

typedef int support_fn(struct archive *a);

static int begin(struct stream *s, struct archive *a, support_fn *const *support, archive_read_callback *read,
		 struct err *e)
{
	for (; *support; support++)
		if ((*support)(a) < ARCHIVE_WARN)
			return failed(s, a, e);
	return archive_read_open(a, s, NULL, read, NULL) == ARCHIVE_OK ? 0 : failed(s, a, e);
}

/* The beginning says whether it is gzip. */
static int look(struct stream *s, struct err *e)
{
	while (s->in >= 0 && s->len < 2)
		if (fill(s, e) < 0)
			return -1;
	s->gzip = s->len >= 2 && s->buf[0] == 0x1f && s->buf[1] == 0x8b;
	if (s->gzip && inflateInit2(&s->z, 16 + MAX_WBITS) != Z_OK)
		die_no_memory();
	return 0;
}

int stream_open(struct work *w, int fd, struct stream **out, struct err *e)
{
	static support_fn *const bytes[] = {
		archive_read_support_filter_bzip2, archive_read_support_filter_xz,    archive_read_support_filter_zstd,
		archive_read_support_format_raw,   archive_read_support_format_empty, NULL,
	};
	static support_fn *const tar[] = { archive_read_support_format_tar, archive_read_support_format_empty, NULL };
	cleanup(stream) struct stream *s = xcalloc(1, sizeof(*s));
	struct archive_entry *entry;
	int r;

	*s = (struct stream){ .work = w, .in = fd, .bytes = archive_read_new(), .archive = archive_read_new() };
	s->buf = xcalloc(1, BUFFER);
	s->plain = xcalloc(1, BUFFER);
	if (!s->bytes || !s->archive)
		die_no_memory();
	if (look(s, e) < 0 || begin(s, s->bytes, bytes, read_source, e) < 0)
		return -1;
	r = archive_read_next_header(s->bytes, &entry);
	s->empty = r == ARCHIVE_EOF;
	if (r != ARCHIVE_OK && r != ARCHIVE_EOF)
		return failed(s, s->bytes, e);
	if (begin(s, s->archive, tar, read_archive, e) < 0)
		return -1;
	*out = take_ptr(&s);
	return 0;
}

/*
 * Names are given as the bytes that they are, which is what the first warning means in the C locale; attributes are not
 * kept. Any other warning is of something that changes what is unpacked.
 */
static bool harmless(struct archive *a)
{
	const char *text = archive_error_string(a);

	return text && (strstr(text, "can't be converted") || strstr(text, "SCHILY.acl"));
}

static int describe(struct stream *s, struct stream_entry *out, struct err *e)
{
	struct archive_entry *entry = s->entry;
	const char *hardlink = archive_entry_hardlink(entry), *symlink = archive_entry_symlink(entry);
	int64_t size = archive_entry_size(entry);

	*out = (struct stream_entry){
		.name = archive_entry_pathname(entry),
		.link = hardlink  ? hardlink
			: symlink ? symlink
				  : "",
		.type = archive_entry_filetype(entry),
		.hardlink = hardlink != NULL,
		.mode = archive_entry_perm(entry),
		.mtime = { .tv_sec = archive_entry_mtime(entry), .tv_nsec = archive_entry_mtime_nsec(entry) },
		.has_xattrs = archive_entry_xattr_count(entry) > 0 || archive_entry_acl_types(entry) != 0,
	};
	if (!out->name || !*out->name)
		return err_set(e, "an entry without a name");
	if (size < 0)
		return err_set(e, "%.200s: a damaged size", out->name);
	if (!hardlink && S_ISREG(out->type))
		out->size = (uint64_t)size;
	s->size = out->size;
	return 1;
}

int stream_next(struct stream *s, struct stream_entry *out, struct err *e)
{
	int r;

	if (s->entry && archive_read_data_skip(s->archive) < ARCHIVE_WARN)
		return failed(s, s->archive, e);
	s->in_headers = true;
	s->headers_at = archive_filter_bytes(s->archive, 0);
	r = archive_read_next_header(s->archive, &s->entry);
	s->in_headers = false;
	if (r == ARCHIVE_EOF)
		return 0;
	if (r == ARCHIVE_OK || (r == ARCHIVE_WARN && harmless(s->archive)))
		return describe(s, out, e);
	return failed(s, s->archive, e);
}

int stream_data(struct stream *s, const void **data, size_t *n, uint64_t *offset, struct err *e)
{
	la_int64_t at;
	int r = archive_read_data_block(s->archive, data, n, &at);

	if (r == ARCHIVE_EOF)
		return 0;
	if (r != ARCHIVE_OK)
		return failed(s, s->archive, e);
	if (at < 0 || (uint64_t)at > s->size || *n > s->size - (uint64_t)at)
		return err_set(e, "data beyond the end of the file");
	*offset = (uint64_t)at;
	return 1;
}

int stream_drain(struct stream *s, size_t max, struct err *e)
{
	const void *buf;
	size_t sum = 0;
	ssize_t n;

	/* Through the decompressors first, which compare checksums at their end. */
	do {
		n = read_plain(s, &buf, e);
		if (n == 0) {
			s->at = s->len;
			n = fill(s, e);
		}
		sum += n > 0 ? (size_t)n : 0;
		if (sum > max)
			return err_set(e, "more than %zu bytes after the end of the archive", max);
	} while (n > 0);
	return (int)n;
}

bool stream_at_end(const struct stream *s)
{
	return s->in < 0;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	archive_read_free(s->archive);
	archive_read_free(s->bytes);
	if (s->gzip)
		inflateEnd(&s->z);
	cleanup_close(&s->in);
	free(s->buf);
	free(s->plain);
	free(s);
}

void cleanup_stream(struct stream **s)
{
	stream_free(*s);
}
