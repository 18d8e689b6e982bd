/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/str.h"
#include "config/import.h"

static char *report(const char *path, int want, struct err *e)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int rc = oci_import_report(path, f, e);

	fclose(f);
	if (rc != want)
		fail_msg("%s: %d: %s", path, rc, e->msg);
	return text;
}

static void assert_says(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("<%s> is not in:\n%s", what, text);
}

static void test_guide_files(void **state)
{
	static const struct {
		const char *file, *says[4];
	} cases[] = {
		{ "crun-run",
		  { "crun-run.conf:6:1: advice: RunTimeRun: /run/user/UID is there only",
		    "crun-run.conf:6:1: change: RunTimeRun: a path with spaces", "6 settings read and accepted" } },
		{ "runc-create-start",
		  { "change: RunTimeStart: in Slurm the task's exit status was lost",
		    "advice: RunTimeCreate: RunTimeRun starts fewer processes" } },
		{ "charliecloud-0.30",
		  { "change: IgnoreFileConfigJson: with it Slurm never runs RunTimeKill",
		    "advice: RunTimeRun: this needs a shell", "change: CreateEnvFile: " } },
		{ "singularity-3.8.0-hpcng-mended",
		  { ":3:1: note: OCIRunTimeQuery is another spelling of RunTimeQuery",
		    "sudo runs the runtime as root" } },
		{ "enroot-3.3.0", { "'/usr/local/bin/enroot-start-wrapper' is not found on this host" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		cleanup(free) char *path = xasprintf("%s/oci-conf/%s.conf", TEST_DATA, cases[i].file);
		struct err e = ERR_INIT;
		cleanup(free) char *text = report(path, 0, &e);

		for (size_t k = 0; k < 4 && cases[i].says[k]; k++)
			assert_says(text, cases[i].says[k]);
	}
}

static void test_own_file(void **state)
{
	static const char conf[] = "DisableHooks=prestart DebugFlags=Steps ContainerPath=/c\n"
				   "RunTimeRun=\"crun \\\\\n  run '%b' \"a=\"x#y\"\n";
	char path[] = "/tmp/berth-test-import.XXXXXX";
	int fd = mkstemp(path);
	struct err e = ERR_INIT;
	char *text;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, conf, sizeof(conf) - 1), sizeof(conf) - 1);
	text = report(path, -1, &e);
	assert_says(text, "cannot be used as it is");
	free(text);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_true(dprintf(fd, "DisableHooks=prestart DebugFlags=Steps ContainerPath=/c\n"
				"RunTimeRun=\"crun run '%%b' x#y\" RunTimeCreate=x\n") > 0);
	text = report(path, 0, &e);
	assert_says(text, "# inside quotes is kept");
	assert_says(text, ":1:1: change: DisableHooks: has no effect in Slurm");
	assert_says(text, "advice: DebugFlags:");
	assert_says(text, "change: ContainerPath:");
	assert_says(text, "change: RunTimeRun: %b inside quotes was shell text");
	assert_says(text, "change: MountSpoolDir: is not set; Slurm mounts");
	assert_says(text, "advice: RunTimeCreate: is not used");
	assert_says(text, "advice: RunTimeKill: is not set");
	free(text);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guide_files),
		cmocka_unit_test(test_own_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
