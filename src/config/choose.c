/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "config/builtin.h"
#include "config/install.h"
#include "proc/procfs.h"
#include "proc/spawn.h"

static const char *const names[RUNTIME_COUNT] = { "crun", "runc" };

/* Changes when the form of the file, the probe or the patterns do. */
#define MEMORY_VERSION "berth runtime choice 1"

enum { MEMORY_MAX = 16384 };

void runtime_choice_free(struct runtime_choice *c)
{
	for (int i = 0; i < RUNTIME_COUNT; i++) {
		free(c->tried[i].path);
		free(c->tried[i].why);
	}
}

static void add_file(struct strbuf *b, const char *what, const char *path)
{
	struct stat st;

	if (!path || stat(path, &st) < 0) {
		strbuf_addf(b, "%s none\n", what);
		return;
	}
	strbuf_addf(b, "%s %s %ju:%ju %jd %jd.%09ld\n", what, path, (uintmax_t)st.st_dev, (uintmax_t)st.st_ino,
		    (intmax_t)st.st_size, (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

static void add_file_system(struct strbuf *b, const char *path)
{
	struct statfs st;

	strbuf_addf(b, "%s %lx\n", path, statfs(path, &st) < 0 ? 0UL : (unsigned long)st.f_type);
}

/*
 * Everything that the answer depends on and that changes without telling us: the programs, the boot (and with it the
 * kernel), who we are, and which cgroup file systems are mounted, which is what runtimes look at as well.
 */
static char *memory_key(const struct runtime_choice *c, const char *init)
{
	struct strbuf b = STRBUF_INIT;
	char ns[64];
	ssize_t n = readlink("/proc/self/ns/user", ns, sizeof(ns) - 1);

	ns[n < 0 ? 0 : n] = '\0';
	strbuf_addf(&b, "%s\nboot %s\nuser %u:%u %s\n", MEMORY_VERSION, proc_boot_id(), geteuid(), getegid(), ns);
	add_file_system(&b, "/sys/fs/cgroup");
	add_file_system(&b, "/sys/fs/cgroup/unified");
	add_file_system(&b, "/sys/fs/cgroup/systemd");
	for (int i = 0; i < RUNTIME_COUNT; i++)
		add_file(&b, names[i], c->tried[i].path);
	add_file(&b, "init", init);
	return strbuf_take(&b);
}

/* One file a host: a home folder may be shared by many. */
static char *memory_file(char *const *env)
{
	const char *cache = env_get(env, "XDG_CACHE_HOME"), *home = env_get(env, "HOME");
	struct utsname host;

	if (uname(&host) < 0 || strchr(host.nodename, '/'))
		return NULL;
	if (cache && *cache == '/')
		return xasprintf("%s/berth/runtime-%s", cache, host.nodename);
	if (home && *home == '/')
		return xasprintf("%s/.cache/berth/runtime-%s", home, host.nodename);
	return NULL;
}

/* The lines behind the key: "use NAME", and "NAME: why not" for each that was tried before it. */
static bool parse_memory(const char *text, struct runtime_choice *c)
{
	cleanup(strv) char **lines = str_split(text, "\n");
	int chosen = -1;

	for (char **l = lines; *l; l++) {
		for (int i = 0; i < RUNTIME_COUNT; i++) {
			size_t n = strlen(names[i]);

			if (str_starts(*l, "use ") && strcmp(*l + 4, names[i]) == 0)
				chosen = i;
			if (strncmp(*l, names[i], n) == 0 && str_starts(*l + n, ": ") && !c->tried[i].why)
				c->tried[i].why = xstrdup(*l + n + 2);
		}
	}
	if (chosen < 0 || !c->tried[chosen].path)
		return false;
	c->chosen = chosen;
	return true;
}

static bool recall(const char *file, const char *key, struct runtime_choice *c)
{
	cleanup(close) int fd = file ? open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
	char text[MEMORY_MAX + 1];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 022)
		return false;
	n = read(fd, text, MEMORY_MAX);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return str_starts(text, key) && parse_memory(text + strlen(key), c);
}

/* Others may read it, there is nothing secret in it; but not write. */
static int open_folder(const char *folder)
{
	cleanup(close) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct err ignored = ERR_INIT;
	struct stat st;

	if (dir < 0 && errno == ENOENT)
		dir = path_private_dir(folder, &ignored);
	if (dir < 0 || fstat(dir, &st) < 0 || st.st_uid != geteuid() || st.st_mode & 022)
		return -1;
	return take_fd(&dir);
}

static void remember(const char *file, const char *key, const struct runtime_choice *c)
{
	cleanup(strbuf) struct strbuf b = STRBUF_INIT;
	cleanup(free) char *folder = xstrdup(file);
	cleanup(close) int dir = -1;
	struct err ignored = ERR_INIT;

	*strrchr(folder, '/') = '\0';
	dir = open_folder(folder);
	if (dir < 0)
		return;
	strbuf_addf(&b, "%suse %s\n", key, names[c->chosen]);
	for (int i = 0; i < c->chosen; i++)
		if (c->tried[i].why)
			strbuf_addf(&b, "%s: %s\n", names[i], c->tried[i].why);
	path_write_atomic(dir, path_base(file), b.data, b.len, false, &ignored);
}

static void try_each(struct runtime_choice *c, const char *init)
{
	for (int i = 0; i < RUNTIME_COUNT && c->chosen < 0; i++) {
		struct err e = ERR_INIT;

		free(c->tried[i].why);
		c->tried[i].why = NULL;
		if (!c->tried[i].path)
			continue;
		if (runtime_probe(names[i], c->tried[i].path, init, &e) == 0)
			c->chosen = i;
		else
			c->tried[i].why = xstrdup(e.msg);
	}
}

int runtime_choose(const struct runtime_places *places, struct runtime_choice *out, struct err *e)
{
	cleanup(free) char *init = places->init ? xstrdup(places->init) : install_libexec("berth-init");
	cleanup(free) char *file = places->env ? memory_file(places->env) : NULL;
	cleanup(free) char *key = NULL;

	*out = (struct runtime_choice){ .chosen = -1 };
	if (!init || access(init, X_OK) < 0)
		return err_set(e, "the installation is not complete: %s is missing", init ? init : "berth-init");
	for (int i = 0; i < RUNTIME_COUNT; i++) {
		out->tried[i].name = names[i];
		out->tried[i].path = spawn_find(names[i], places->path ? places->path : RUNTIME_PATH);
	}
	key = memory_key(out, init);
	if (!places->forget && recall(file, key, out))
		return 0;
	try_each(out, init);
	if (file && out->chosen >= 0)
		remember(file, key, out);
	return 0;
}
