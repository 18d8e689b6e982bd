/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_BASE_PATH_H
#define BERTH_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"

/* "A/B" with one slash between; B alone where it is absolute. The caller frees it. */
char *path_join(const char *a, const char *b);
/*
 * PATH made absolute against the current folder and freed of ".", ".." and doubled slashes, without looking at links.
 * A relative one stays as it is where the current folder no longer exists.
 */
char *path_absolute(const char *path);
/* The last part, inside PATH. */
const char *path_base(const char *path);
/* The folder of the running program, links resolved; for files that are installed beside it. NULL where /proc is
 * absent. */
char *path_program_dir(void);

/*
 * Opens PATH beneath the folder ROOT_FD as a process whose root that folder is would: links, absolute ones too, stay
 * inside. FLAGS as in open(2); O_CLOEXEC is added. Returns the descriptor or -1 with errno set.
 */
int path_open_in_root(int root_fd, const char *path, int flags);

/*
 * Makes DIR and its missing parents, 0700 each, and opens it. DIR itself must then be a real folder (no link) of the
 * effective user with no access for group and others; else it is refused. Returns a descriptor or -1.
 */
int path_private_dir(const char *dir, struct err *e);
/* mkdir -p with MODE less the umask. */
int path_mkdirs(const char *dir, mode_t mode, struct err *e);

/* PREFIX followed by 16 unpredictable hex digits; *out is the caller's. */
int path_random_name(const char *prefix, char **out, struct err *e);

/*
 * Makes a folder PREFIX followed by 16 unpredictable hex digits below DIR_FD, 0700. *name (the caller's) is its name;
 * returns a descriptor of it or -1.
 */
int path_unique_dir(int dir_fd, const char *prefix, char **name, struct err *e);

/* Reads a whole file of at most MAX bytes; see fd_read_all. st (may be NULL) is of the opened file. */
int path_read_file(int dir_fd, const char *name, size_t max, char **out, size_t *len, struct stat *st, struct err *e);
/* Makes a new file with exactly MODE; an existing name is an error. */
int path_write_new(int dir_fd, const char *name, const void *data, size_t len, mode_t mode, struct err *e);
/*
 * Puts a file in place of NAME in one step (0600): readers see the old or the new content, and a full disk leaves the
 * old one. With DURABLE it has reached the disk when this returns.
 */
int path_write_atomic(int dir_fd, const char *name, const void *data, size_t len, bool durable, struct err *e);

/*
 * Removes NAME and everything below it, however deep, never following a link and never entering another mount. What is
 * not there is no error. Folders that their owner cannot search are made searchable first.
 */
int path_remove_tree(int dir_fd, const char *name, struct err *e);

#endif
