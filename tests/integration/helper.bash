# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For every integration test: `load helper`. What is under test lies in $BERTH_STAGE (tests/run sets it).
#
#   as_user CMD...        as an ordinary user with a small environment and a home of this file's own
#   make_rootfs DIR       a root file system of busybox with a few files that tests look at
#   make_bundle DIR       that, and a config.json which runs rootless in crun and runc
#   wait_for SECONDS CMD  until CMD succeeds; fails when it never does
#   no_leftovers          nothing of this file's user is left: processes, mounts, spool folders
#
# $USER_DIR is a folder of that user (removed with the file), $USER_HOME its home, $BERTH_SPOOL_DIR below it; as_user
# hands every BERTH_* variable on. $BERTH_TEST_USER names another user. A test that cannot run on this machine skips with a reason that begins with "host:"; other reasons fail in CI.

: "${BERTH_STAGE:=$(cd "$BATS_TEST_DIRNAME/../../build/stage" && pwd)}"
export BERTH_STAGE
user_path=$BERTH_STAGE/libexec/berth/bin:$BERTH_STAGE/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
PATH=$user_path
# script(1) runs this, which has to know our functions.
export SHELL=/bin/bash

if [ "$(id -u)" -eq 0 ]; then
	test_user=${BERTH_TEST_USER:-berthtest}
else
	test_user=$(id -un)
fi

# A user with subordinate ids, as an administrator would make one.
ensure_user() {
	[ "$(id -u)" -eq 0 ] || return 0
	id "$test_user" >/dev/null 2>&1 || useradd -m -s /bin/bash "$test_user"
	local f
	for f in /etc/subuid /etc/subgid; do
		grep -qs "^$test_user:" "$f" || awk -F: -v u="$test_user" '
			BEGIN { top = 100000 } $2 + $3 > top { top = $2 + $3 } END { print u ":" top ":65536" }
		' "$f" >>"$f"
	done
}

helper_setup_file() {
	ensure_user
	USER_DIR=$(mktemp -d "${TMPDIR:-/tmp}/berth-it.XXXXXX")
	USER_HOME=$USER_DIR/home
	mkdir "$USER_HOME"
	[ "$(id -u)" -ne 0 ] || chown -R "$test_user:" "$USER_DIR"
	chmod 755 "$USER_DIR"
	# Where that user can read them, whoever may read the source tree.
	install -m 755 "$BATS_TEST_DIRNAME"/{drive-pty,kill-chain} "$USER_DIR"
	export USER_DIR USER_HOME BERTH_SPOOL_DIR=$USER_DIR/spool
}

helper_teardown_file() {
	[ -n "${USER_DIR:-}" ] || return 0
	chmod -R u+rwX "$USER_DIR" 2>/dev/null || true
	rm -rf "$USER_DIR"
}

# Files with no setup_file of their own get these.
setup_file() { helper_setup_file; }
teardown_file() { helper_teardown_file; }

# A runtime that knows cgroup v2 only stumbles over a host that mounts both kinds; without the second it sees v1 alone,
# where it runs containers without a cgroup of their own. The mount is taken away in a namespace of the test's own.
without_hybrid='[ ! -d /sys/fs/cgroup/unified ] || umount -l /sys/fs/cgroup/unified; exec "$@"'

# With in_place=1, in a subshell, every program on the way executes the next: the subshell's pid is CMD's.
as_user() {
	local -a env=("PATH=$user_path" "HOME=$USER_HOME" "USER=$test_user" "LOGNAME=$test_user" LANG=C.UTF-8
		"TERM=${TERM:-dumb}") name
	for name in "${!BERTH_@}" ${ASAN_OPTIONS+ASAN_OPTIONS} ${UBSAN_OPTIONS+UBSAN_OPTIONS}; do
		env+=("$name=${!name}")
	done
	if [ "$(id -u)" -eq 0 ]; then
		${in_place:+exec} unshare -m --propagation private sh -c "$without_hybrid" sh \
			setpriv --reuid="$test_user" --regid="$test_user" --init-groups env -i "${env[@]}" "$@"
	else
		${in_place:+exec} env -i "${env[@]}" "$@"
	fi
}

make_rootfs() {
	local dir=$1 applet
	mkdir -p "$dir"/{bin,dev,etc,proc,sys,tmp,root,home,usr/bin,var}
	cp /bin/busybox "$dir/bin/busybox"
	for applet in $("$dir/bin/busybox" --list); do
		[ "$applet" = busybox ] || ln -sf busybox "$dir/bin/$applet"
	done
	ln -sf busybox "$dir/bin/sh"
	printf 'NAME="Berth Test"\nID=berthtest\nPRETTY_NAME="Berth Test Linux"\n' >"$dir/etc/os-release"
	printf 'root:x:0:0:root:/root:/bin/sh\n' >"$dir/etc/passwd"
	printf 'root:x:0:\n' >"$dir/etc/group"
	chmod 1777 "$dir/tmp"
	[ "$(id -u)" -ne 0 ] || chown -R "$test_user:" "$dir"
}

make_bundle() {
	make_rootfs "$1/rootfs"
	jq -n --argjson uid "$(id -u "$test_user")" --argjson gid "$(id -g "$test_user")" '{
		ociVersion: "1.0.2",
		process: { terminal: false, user: { uid: 0, gid: 0 }, args: ["sh"], cwd: "/",
			env: ["PATH=/usr/local/bin:/usr/bin:/bin", "FROM_IMAGE=yes"], noNewPrivileges: true },
		root: { path: "rootfs", readonly: false },
		hostname: "berth-test",
		mounts: [
			{ destination: "/proc", type: "proc", source: "proc" },
			{ destination: "/dev", type: "tmpfs", source: "tmpfs",
				options: ["nosuid", "strictatime", "mode=755", "size=65536k"] },
			{ destination: "/dev/pts", type: "devpts", source: "devpts",
				options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] },
			{ destination: "/dev/shm", type: "tmpfs", source: "shm",
				options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"] },
			{ destination: "/sys", type: "none", source: "/sys",
				options: ["rbind", "nosuid", "noexec", "nodev", "ro"] }
		],
		linux: {
			uidMappings: [{ containerID: 0, hostID: $uid, size: 1 }],
			gidMappings: [{ containerID: 0, hostID: $gid, size: 1 }],
			namespaces: [{ type: "pid" }, { type: "ipc" }, { type: "uts" }, { type: "mount" },
				{ type: "user" }]
		}
	}' >"$1/config.json"
	[ "$(id -u)" -ne 0 ] || chown -R "$test_user:" "$1"
}

wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.05
	done
}

# Prints what is left of this file's user, and fails where that is anything. Give the kernel a moment with wait_for.
no_leftovers() {
	local left
	left=$(
		find /proc -maxdepth 1 -user "$test_user" -name '[1-9]*' -exec sh -c '
			for p; do
				tr "\0" "\n" <"$p/environ" 2>/dev/null | grep -q "^HOME=$USER_HOME\$\|^BERTH_MARK=" &&
					echo "process ${p#/proc/}: $(tr "\0" " " <"$p/cmdline")"
			done' sh {} + 2>/dev/null
		grep -F "$USER_DIR" /proc/self/mountinfo
		find "$BERTH_SPOOL_DIR" -mindepth 1 2>/dev/null
	)
	[ -z "$left" ] || { printf 'left over:\n%s\n' "$left"; return 1; }
}
