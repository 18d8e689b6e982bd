/* SPDX-License-Identifier: Apache-2.0 */
#include "image/create.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "image/layout.h"
#include "image/scratch.h"
#include "image/stream.h"
#include "oci/json.h"

/* One bundle under construction. */
struct making {
	const struct create_options *o;
	struct work work;
	struct scratch scratch;
	int bundle, rootfs;
	char *root_path; /* as config.json names it */
	struct extract *extract;
	struct json_object *image; /* its configuration, or NULL */
	char ***notes;
};

static int read_tar(struct making *m, int fd, const char *step, bool *at_end, struct err *e)
{
	cleanup(stream) struct stream *s = NULL;
	struct stat st;
	int r;

	work_step(&m->work, step, fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0);
	if (stream_open(&m->work, fd, &s, e) < 0)
		return -1;
	r = extract_tar(m->extract, s, e);
	*at_end = stream_at_end(s);
	return r;
}

static int from_tar(struct making *m, const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	bool at_end;

	if (fd < 0)
		return err_sys(e, errno, "open %s", path);
	return read_tar(m, fd, "unpacking", &at_end, e) < 0 ? err_wrap(e, "%s", path) : 0;
}

static int from_stdin(struct making *m, struct err *e)
{
	bool at_end;
	int fd;

	if (isatty(STDIN_FILENO))
		return err_set(e, "--from - reads a tar archive from stdin, and stdin is a terminal");
	fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return err_sys(e, errno, "stdin");
	return read_tar(m, fd, "unpacking", &at_end, e) < 0 ? err_wrap(e, "stdin") : 0;
}

/* A program that writes a tar archive to its stdout. Its own error says more than what it does to the archive. */
static int from_program(struct making *m, char *const *argv, bool aloud, const char *step, struct err *e)
{
	cleanup(close) int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct work_child c = WORK_CHILD_INIT;
	struct err own = ERR_INIT;
	bool at_end = false;

	if (work_start(&m->work, argv, null, aloud, &c, e) < 0)
		return -1;
	if (read_tar(m, take_fd(&c.out), step, &at_end, e) < 0) {
		if (at_end && !m->work.caught && work_finish(&m->work, &c, &own) < 0)
			*e = own;
		work_abandon(&m->work, &c);
		return -1;
	}
	return work_finish(&m->work, &c, e);
}

/* The bundle must not be made inside of what it is made from. */
static int refuse_inside(const char *source, const char *scratch, struct err *e)
{
	cleanup(free) char *outer = realpath(source, NULL), *inner = realpath(scratch, NULL);
	size_t n;

	if (!outer || !inner)
		return err_sys(e, errno, "%s", source);
	n = strlen(outer);
	if (str_starts(inner, outer) && (inner[n] == '/' || strcmp(outer, "/") == 0))
		return err_set(e, "the bundle would lie inside of %s, which it is made from", source);
	return 0;
}

static int from_folder(struct making *m, const char *path, struct err *e)
{
	char *const argv[] = { "tar",	      "--create",
			       "--file=-",    "--format=gnu",
			       "--sparse",    "--one-file-system",
			       "--directory", (char *)path,
			       "--",	      ".",
			       NULL };

	if (refuse_inside(path, m->scratch.path, e) < 0)
		return -1;
	return from_program(m, argv, false, "copying", e);
}

static int use_in_place(struct making *m, const char *path, struct err *e)
{
	free(m->root_path);
	m->root_path = realpath(path, NULL);
	if (!m->root_path)
		return err_sys(e, errno, "%s", path);
	if (unlinkat(m->bundle, "rootfs", AT_REMOVEDIR) < 0)
		return err_sys(e, errno, "remove rootfs");
	close(take_fd(&m->rootfs));
	m->rootfs = open(m->root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return m->rootfs < 0 ? err_sys(e, errno, "open %s", path) : 0;
}

static int from_debian(struct making *m, const char *suite, struct err *e)
{
	cleanup(strv) char **argv = NULL;

	strv_push(&argv, "mmdebstrap");
	strv_push(&argv, "--format=tar");
	strv_push_own(&argv, xasprintf("--variant=%s", m->o->variant));
	if (m->o->include)
		strv_push_own(&argv, xasprintf("--include=%s", m->o->include));
	strv_push(&argv, suite);
	strv_push(&argv, "-");
	if (m->o->mirror)
		strv_push(&argv, m->o->mirror);
	return from_program(m, argv, true, "unpacking", e);
}

static int open_layer(struct making *m, int layout, const char *path, struct stream **s, struct err *e)
{
	int fd = openat(layout, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return err_sys(e, errno, "open %s", path);
	work_step(&m->work, "unpacking", fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0);
	return stream_open(&m->work, fd, s, e);
}

/*
 * What a layer removes may stand behind what it brings, so it is read twice; the lowest one has nothing to remove.
 */
static int apply_layer(struct making *m, int layout, const char *path, bool lowest, struct err *e)
{
	cleanup(stream) struct stream *first = NULL, *second = NULL;

	if (!lowest && (open_layer(m, layout, path, &first, e) < 0 || extract_whiteouts(m->extract, first, e) < 0))
		return -1;
	if (open_layer(m, layout, path, &second, e) < 0)
		return -1;
	return extract_layer(m->extract, second, e);
}

/* skopeo checks every digest, and turns whatever the image was into one OCI image. */
static int fetch(struct making *m, const char *name, struct err *e)
{
	const struct create_options *o = m->o;
	cleanup(strv) char **argv = NULL;

	strv_push(&argv, "skopeo");
	if (o->arch)
		strv_push_own(&argv, xasprintf("--override-arch=%s", o->arch));
	strv_push(&argv, "copy");
	strv_push(&argv, "--dest-oci-accept-uncompressed-layers");
	if (o->tls_verify)
		strv_push_own(&argv, xasprintf("--src-tls-verify=%s", o->tls_verify));
	if (o->authfile)
		strv_push_own(&argv, xasprintf("--src-authfile=%s", o->authfile));
	if (o->creds)
		strv_push_own(&argv, xasprintf("--src-creds=%s", o->creds));
	strv_push(&argv, name);
	strv_push_own(&argv, xasprintf("oci:%s/image", m->scratch.path));
	if (work_run(&m->work, argv, e) == 0)
		return 0;
	if (!o->tls_verify && (strstr(e->msg, "HTTP response to HTTPS client") || strstr(e->msg, "x509:")))
		err_hint(e, "--tls-verify=false takes a registry without a valid certificate");
	return -1;
}

static int from_image(struct making *m, const char *name, struct err *e)
{
	cleanup(layout) struct layout l = LAYOUT_INIT;
	cleanup(close) int dir = -1;

	if (fetch(m, name, e) < 0)
		return -1;
	dir = openat(m->scratch.fd, "image", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, errno, "open the image");
	if (layout_load(dir, &l, e) < 0)
		return -1;
	m->image = json_object_get(l.config);
	for (char **path = l.layers; path && *path; path++)
		if (apply_layer(m, dir, *path, path == l.layers, e) < 0)
			return m->work.caught ? -1 : err_wrap(e, "layer %td of %s", path - l.layers + 1, name);
	return 0;
}

static int fill(struct making *m, struct err *e)
{
	struct source src;

	if (source_parse(m->o->from, &src, e) < 0)
		return -1;
	if (m->o->in_place && src.kind != SOURCE_FOLDER)
		return err_set(e, "--in-place needs a folder to use");
	switch (src.kind) {
	case SOURCE_FOLDER:
		return m->o->in_place ? use_in_place(m, src.text, e) : from_folder(m, src.text, e);
	case SOURCE_TAR:
		return from_tar(m, src.text, e);
	case SOURCE_STDIN:
		return from_stdin(m, e);
	case SOURCE_IMAGE:
		return from_image(m, src.text, e);
	case SOURCE_DEBIAN:
		return from_debian(m, src.text, e);
	}
	return -1;
}

static void add_notes(struct making *m)
{
	const struct extract_notes *n = extract_notes(m->extract);

	if (n->devices)
		strv_push_own(m->notes,
			      xasprintf("%" PRIu64 " device files were left out; the runtime makes those that "
					"programs need",
					n->devices));
	if (n->set_id)
		strv_push_own(m->notes,
			      xasprintf("%" PRIu64 " files lost their setuid or setgid bit, which has no use with "
					"one user inside",
					n->set_id));
	if (n->xattrs)
		strv_push_own(m->notes,
			      xasprintf("%" PRIu64 " files lost extended attributes (capabilities, labels, ACLs)",
					n->xattrs));
}

static int write_config(struct making *m, struct err *e)
{
	cleanup(json) struct json_object *config = NULL;
	struct config_json_options o = { .userns = m->o->userns,
					 .root_path = m->root_path,
					 .read_only = m->o->read_only };

	if (config_json_make(m->rootfs, m->image, &o, &config, m->notes, e) < 0)
		return -1;
	/* Somebody's folder stays as it is. */
	if (!m->o->in_place && config_json_mount_points(m->rootfs, config, e) < 0)
		return -1;
	return json_write(m->bundle, "config.json", config, 0644, e);
}

static int open_bundle(struct making *m, struct err *e)
{
	if (mkdirat(m->scratch.fd, "bundle", 0755) < 0)
		return err_sys(e, errno, "make folder");
	m->bundle = openat(m->scratch.fd, "bundle", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (m->bundle < 0 || mkdirat(m->bundle, "rootfs", 0755) < 0)
		return err_sys(e, errno, "make folder");
	m->rootfs = openat(m->bundle, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (m->rootfs < 0)
		return err_sys(e, errno, "open rootfs");
	m->extract = extract_new(&m->work, m->rootfs, &m->o->limits);
	return 0;
}

static int make(struct making *m, struct err *e)
{
	if (open_bundle(m, e) < 0 || fill(m, e) < 0 || extract_finish(m->extract, e) < 0)
		return -1;
	add_notes(m);
	if (write_config(m, e) < 0 || work_check(&m->work, e) < 0)
		return -1;
	return scratch_publish(&m->scratch, "bundle", e);
}

int create_bundle(const struct create_options *o, char ***notes, int *caught, struct err *e)
{
	struct making m = { .o = o, .scratch = SCRATCH_INIT, .bundle = -1, .rootfs = -1, .notes = notes };
	struct source ignored;
	struct err second = ERR_INIT;
	int r = -1;

	*caught = 0;
	/* Before anything is made, what can be known to be wrong. */
	if (source_parse(o->from, &ignored, e) < 0)
		return -1;
	m.root_path = xstrdup("rootfs");
	if (work_begin(&m.work, e) == 0 && scratch_make(o->dir, &m.scratch, e) == 0)
		r = make(&m, e);
	*caught = m.work.caught;
	cleanup_close(&m.rootfs);
	cleanup_close(&m.bundle);
	extract_free(m.extract);
	if (m.image)
		json_object_put(m.image);
	work_clear_line(&m.work);
	if (scratch_remove(&m.scratch, &second) < 0)
		strv_push_own(notes, xasprintf("%s is not removed: %s", m.scratch.path, second.msg));
	cleanup_scratch(&m.scratch);
	free(m.root_path);
	work_end(&m.work);
	return r;
}
