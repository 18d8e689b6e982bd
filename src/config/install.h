/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_CONFIG_INSTALL_H
#define BERTH_CONFIG_INSTALL_H

/*
 * Where the parts of an installed tree lie, seen from the running program, so that the tree works from any prefix:
 * PREFIX/bin/berth, PREFIX/libexec/berth/{berth-task,berth-init,berth-bundle,bin/srun,...}, PREFIX/share/berth. The
 * caller frees the results; NULL where /proc is absent.
 */

/* PREFIX/libexec/berth/NAME */
char *install_libexec(const char *name);
/* PREFIX/share/berth/NAME */
char *install_data(const char *name);
/* The site's NAME in SYSCONFDIR/berth: /etc where PREFIX is /usr, else PREFIX/etc. */
char *install_sysconf(const char *name);

#endif
