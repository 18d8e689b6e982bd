#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# berth-task with real runtimes: what comes in, what comes out, what the container sees.
bats_require_minimum_version 1.5.0
load helper
load task

setup_file() { task_setup_file; }

# each COMMAND...: for every runtime and mode, as the ordinary user and as root. Says which one it was on failure.
each() {
	local v w
	for v in $variants; do
		for w in user root; do
			[ $w = user ] || [ "$(id -u)" -eq 0 ] || continue
			as=() && [ $w = user ] || as=(-r)
			"$@" || { echo "with $v as $w: $output"; return 1; }
		done
	done
}

# The next runtime and mode in turn, as $v: for cases that are many.
next() {
	set -- $variants
	turn=$((${turn:-0} % 4 + 1))
	v=${!turn}
}

hello() {
	run task -c "$v" "${as[@]}" -- sh -c 'echo "hello from $PRETTY"; grep -c . /etc/os-release'
	[ "$status" -eq 0 ] && [ "${lines[0]}" = "hello from " ] && [ "${lines[1]}" = 3 ]
}

@test "a container runs: crun and runc, run and create/start, as user and as root" {
	each hello
}

statuses() {
	local n
	for n in $codes; do
		run task -c "$v" "${as[@]}" -- sh -c "exit $n"
		[ "$status" -eq $n ] && [ -z "$output" ] || return
	done
}

@test "the exit status is the container's, and nothing is said" {
	codes="0 7 255" each statuses
	v=crun-run as=()
	codes="1 125 126 127" statuses
}

@test "a signal that ends process 1 gives 128 and its number" {
	for v in $variants; do
		# Process 1 of a pid namespace cannot end itself by a signal, so the bundle shares the host's.
		host_pid_bundle
		run task -c "$v" -b "$USER_DIR/hostpid" -- sh -c 'kill -TERM $$'
		[ "$status" -eq 143 ]
		run task -c "$v" -b "$USER_DIR/hostpid" -- sh -c 'kill -KILL $$'
		[ "$status" -eq 137 ]
	done
}

@test "a command that is not there: 127, and which one it was" {
	for v in $variants; do
		run task -c "$v" -- nosuchthing
		[ "$status" -eq 127 ]
		[[ "$output" = *"berth-task: error: nosuchthing: command not found in the container's PATH"* ]]
		run task -c "$v" -- /no/such/thing
		[ "$status" -eq 127 ]
		[[ "$output" = *"/no/such/thing: no such program"* ]]
	done
}

@test "a command that is no program: 126, and why" {
	for v in $variants; do
		run task -c "$v" -- /etc/os-release
		[ "$status" -eq 126 ]
		[[ "$output" = *"/etc/os-release: the container cannot execute it: Permission denied"* ]]
		run task -c "$v" -- /etc
		[ "$status" -eq 126 ]
	done
}

@test "a container that cannot be set up: 125, the runtime's words and the next step" {
	cp -r "$USER_DIR/bundle" "$USER_DIR/bad"
	jq '.mounts += [{ destination: "/x", type: "bind", source: "/no/such/folder", options: ["bind"] }]' \
		"$USER_DIR/bundle/config.json" >"$USER_DIR/bad/config.json"
	for v in $variants; do
		run task -c "$v" -b "$USER_DIR/bad" -- true
		[ "$status" -eq 125 ]
		[[ "$output" = *"/no/such/folder"* ]]
		[[ "$output" = *"berth-task: error: the container of $USER_DIR/bad could not be set up: the runtime ended with status"* ]]
		[[ "$output" = *"berth bundle check"* ]]
	done
}

@test "no bundle, no config.json, a broken one: 125, and what is wrong" {
	local b=$USER_DIR/broken
	run task -b /no/such/bundle -- true
	[ "$status" -eq 125 ]
	[[ "$output" = *"bundle /no/such/bundle: No such file"* ]]
	mkdir -p "$b"
	run task -b "$b" -- true
	[ "$status" -eq 125 ]
	[[ "$output" = *"config.json: No such file"*"berth bundle create"* ]]
	broken_config() {
		printf '%s' "$1" >"$b/config.json"
		run task -b "$b" -- true
		[ "$status" -eq 125 ] && [[ "$output" = *"$2"* ]] || { echo "$1: $output"; return 1; }
	}
	broken_config '{"process":' 'config.json'
	broken_config '{}' '/root/path: missing'
	broken_config '[]' 'config.json'
	broken_config '{"root":{"path":"nothere"},"process":{}}' '/root/path: '
	broken_config '{"root":{"path":7},"process":{}}' '/root/path'
	broken_config '{"root":{"path":"/tmp"}}' '/process: missing'
	broken_config '{"root":{"path":"/tmp"},"process":{},"mounts":{}}' '/mounts: expected an array'
	broken_config '{"root":{"path":"/tmp"},"process":5}' '/process'
	broken_config '{"root":{"path":"/tmp"},"process":{"args":"sh"}}' '/process/args'
	broken_config '{"root":{"path":"/tmp"},"process":{"env":[1]}}' '/process/env'
}

@test "the request is checked, and a bad one starts nothing" {
	run task -k nonsense=1 -- true
	[ "$status" -eq 125 ]
	[[ "$output" = *"unknown record 'nonsense=1'"* ]]
	run as_user "$BERTH_STAGE/libexec/berth/berth-task" --request /dev/null
	[ "$status" -eq 125 ]
	run as_user "$BERTH_STAGE/libexec/berth/berth-task"
	[ "$status" -eq 125 ]
}

@test "a spool folder that others can enter, or that is not the user's, is refused" {
	new_spool user
	chmod 755 "$spool"
	run task -s "$spool" -- true
	[ "$status" -eq 125 ]
	[[ "$output" = *"open to others"* ]]
	[ "$(id -u)" -eq 0 ] || skip "host: not root"
	new_spool root
	run task -s "$spool" -- true
	[ "$status" -eq 125 ]
}

@test "a missing configuration: 125, never the bare host" {
	make_conf gone none
	rm "$USER_DIR/conf/gone.conf"
	run task -c gone -- touch "$USER_HOME/on-the-host"
	[ "$status" -eq 125 ]
	[ ! -e "$USER_HOME/on-the-host" ]
}

big_stdin() {
	run task -c "$v" "${as[@]}" -- sh -c 'md5sum; echo done >&2' <"$USER_DIR/big"
	# In any order: runc carries each stream through a pipe of its own.
	[ "$(sort <<<"$output")" = "$(printf '%s\n' "$sum  -" "done" | sort)" ] && [ "$status" -eq 0 ]
}

@test "stdin of 100 MB arrives whole" {
	head -c 100000000 /dev/urandom >"$USER_DIR/big"
	sum=$(md5sum <"$USER_DIR/big" | cut -d' ' -f1)
	each big_stdin
	rm "$USER_DIR/big"
}

@test "stdin is left to who reads it, and closed stdin is no trouble" {
	for v in $variants; do
		run task -c "$v" -- sh -c 'read -r a; echo "got $a"' <<<$'one\ntwo'
		[ "$output" = "got one" ]
		run task -c "$v" -- sh -c 'echo alive' </dev/null
		[ "$output" = alive ] || { echo "$v: $output"; return 1; }
		task_prepare -c "$v" -- sh -c 'cat && echo alive'
		# The last program closes it: those on the way would put something of theirs there.
		run as_user sh -c 'exec "$@" <&-' sh "$BERTH_STAGE/libexec/berth/berth-task" --request "$request"
		[ "$output" = alive ] || { echo "$v: $output"; return 1; }
		task_forget
	done
}

@test "stdout and stderr stay apart, and no byte is lost at the end" {
	for v in $variants; do
		for i in 1 2; do
			task -c "$v" -- sh -c 'head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2; exit 3' \
				> >(wc -c >"$USER_DIR/n1") 2> >(wc -c >"$USER_DIR/n2") && false
			[ $? -eq 1 ] || true
			wait_for 10 test -s "$USER_DIR/n1" -a -s "$USER_DIR/n2"
			[ "$(cat "$USER_DIR/n1")" -eq 3000000 ]
			[ "$(cat "$USER_DIR/n2")" -eq 2000000 ]
			rm "$USER_DIR/n1" "$USER_DIR/n2"
		done
	done
}

@test "a reader that stops reading ends the command by SIGPIPE, not berth-task" {
	for v in $variants; do
		task -c "$v" -- sh -c 'yes; echo "yes: $?" >&2' 2>"$USER_DIR/err" | head -n 1 >"$USER_DIR/first"
		[ "$(cat "$USER_DIR/first")" = y ]
		grep -q "yes: 1" "$USER_DIR/err"
	done
}

@test "every word of the command arrives as it was" {
	local words=('a b' '' "it's" '"' '$(id)' '`id`' ';' $'new\nline' 'ä€😀' '%b' '\' '*' '-x' $'\x01\x7f')
	for v in $variants; do
		task -c "$v" -- printf '[%s]' "${words[@]}" >"$USER_DIR/got"
		printf '[%s]' "${words[@]}" | cmp - "$USER_DIR/got"
	done
}

@test "a long command line arrives" {
	local long
	long=$(head -c 120000 /dev/zero | tr '\0' x)
	run task -- sh -c 'echo ${#1}' sh "$long"
	[ "$output" = 120000 ]
}

@test "root.path may have any name, absolute or relative, or be a link" {
	local name b n=0
	for name in rootfs 'with space' "it's" 'a"b' $'new\nline' 'ä€' 'x,y=z' '-dash' 'c:\d'; do
		n=$((n + 1)) b=$USER_DIR/named$n
		mkdir -p "$b"
		cp -a "$USER_DIR/bundle/rootfs" "$b/$name"
		for path in "$name" "$b/$name" "./x/../$name/"; do
			mkdir -p "$b/x"
			jq --arg p "$path" '.root.path = $p' "$USER_DIR/bundle/config.json" >"$b/config.json"
			next
			run task -c $v -b "$b" -- echo yes
			[ "$output" = yes ] || { echo "$v, $path: $output"; return 1; }
		done
	done
	ln -s "$USER_DIR/named1/rootfs" "$b/link"
	jq '.root.path = "link"' "$USER_DIR/bundle/config.json" >"$b/config.json"
	run task -b "$b" -- echo yes
	[ "$output" = yes ]
	rm -rf "$USER_DIR"/named*
}

@test "a bundle's path may have any name, and be relative to nothing" {
	local name
	for name in 'b c' "it's" '$(id)' $'new\nline' 'ä€' ';'; do
		cp -a "$USER_DIR/bundle" "$USER_DIR/$name"
		for i in 1 2; do
			next
			run task -c "$v" -b "$USER_DIR/$name" -- echo yes
			[ "$output" = yes ] || { echo "$v, $name: $output"; return 1; }
		done
		rm -rf "${USER_DIR:?}/$name"
	done
}

@test "a spool folder may have any name" {
	local name
	for name in 'b c' "it's" '$(id)' $'new\nline' 'ä€' ';' '"'; do
		mkdir "$USER_DIR/$name"
		chmod 700 "$USER_DIR/$name"
		[ "$(id -u)" -ne 0 ] || chown "$test_user" "$USER_DIR/$name"
		for i in 1 2; do
			next
			run task -c "$v" -s "$USER_DIR/$name" -- sh -c 'ls -d "$1" && echo yes' sh "$USER_DIR/$name"
			[ "${lines[-1]}" = yes ] || { echo "$v, $name: $output"; return 1; }
			mkdir -m 700 "$USER_DIR/$name"
			[ "$(id -u)" -ne 0 ] || chown "$test_user" "$USER_DIR/$name"
		done
		rmdir "$USER_DIR/$name"
	done
}

@test "a spool folder's path may be longer than a socket's address" {
	local long=$USER_DIR/spool-at
	for i in 1 2 3 4; do
		long=$long/$(printf '%060d' $i)
	done
	for v in $variants; do
		mkdir -p "$long"
		chmod 700 "$long"
		[ "$(id -u)" -ne 0 ] || chown "$test_user" "$long"
		run task -c "$v" -s "$long" -- echo yes
		[ "$output" = yes ] || { echo "$v: $output"; return 1; }
	done
}

readonly_root() {
	run task -c "$v" "${as[@]}" -b "$USER_DIR/ro" -- sh -c 'touch /x /etc/x /bin/x /new 2>/dev/null || echo readonly
		grep -c PRETTY /etc/os-release'
	[ "${lines[*]}" = "readonly 1" ]
}

@test "a read-only root file system is read-only, with mount points missing in it" {
	cp -a "$USER_DIR/bundle" "$USER_DIR/ro"
	jq '.root.readonly = true' "$USER_DIR/bundle/config.json" >"$USER_DIR/ro/config.json"
	each readonly_root
	rmdir "$USER_DIR"/ro/rootfs/{home,tmp}
	each readonly_root
	jq 'del(.mounts[] | select(.destination | startswith("/dev")))' "$USER_DIR/ro/config.json" >"$USER_DIR/c.json"
	cat "$USER_DIR/c.json" >"$USER_DIR/ro/config.json"
	each readonly_root
	rm -rf "$USER_DIR/ro"
}

@test "a read-only root on a file system that is nosuid, nodev and read-only itself" {
	[ "$(id -u)" -eq 0 ] || skip "host: not root"
	local fs=$USER_DIR/fs
	mkdir "$fs"
	mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs "$fs"
	cp -a "$USER_DIR/bundle" "$fs/b"
	jq '.root.readonly = true' "$USER_DIR/bundle/config.json" >"$fs/b/config.json"
	mount -o remount,ro "$fs"
	outputs=
	for v in $variants; do
		run task -c "$v" -b "$fs/b" -- sh -c 'touch /etc/x 2>/dev/null || echo readonly; pwd'
		outputs+="$status ${lines[*]}, "
	done
	umount "$fs"
	want="0 readonly $USER_HOME, "
	[ "$outputs" = "$want$want$want$want" ] || { echo "$outputs"; return 1; }
}

@test "a bundle that the user can only read" {
	[ "$(id -u)" -eq 0 ] || skip "host: not root"
	cp -a "$USER_DIR/bundle" "$USER_DIR/others"
	chown -R root: "$USER_DIR/others"
	jq 'del(.mounts[] | select(.destination | startswith("/dev")))
		| .linux.uidMappings[0].hostID = 0 | .linux.gidMappings[0].hostID = 0' \
		"$USER_DIR/bundle/config.json" >"$USER_DIR/others/config.json"
	chmod -R a+rX,go-w "$USER_DIR/others"
	rmdir "$USER_DIR/others/rootfs/home"
	for v in $variants; do
		run task -c "$v" -b "$USER_DIR/others" -- sh -c 'grep PRETTY /etc/os-release; pwd; cat /proc/self/uid_map'
		[ "${lines[0]}" = 'PRETTY_NAME="Berth Test Linux"' ] || { echo "$v: $output"; return 1; }
		[ "${lines[1]}" = "$USER_HOME" ]
		[[ "${lines[2]}" =~ ^\ +0\ +$(id -u "$test_user")\ +1$ ]]
	done
	rm -rf "$USER_DIR/others"
}

listing() {
	(cd "$1" && find . -printf '%p %y %m %U %G %s %l\n' | sort)
}

@test "no mount point is left in the user's root file system" {
	local b=$USER_DIR/bare gone
	for gone in '' 'home' 'tmp' 'dev' 'proc sys' 'etc' 'tmp home dev proc sys root var'; do
		rm -rf "$b"
		cp -a "$USER_DIR/bundle" "$b"
		(cd "$b/rootfs" && rm -rf $gone)
		jq '.mounts += [{ destination: "/deep/down/in", type: "tmpfs", source: "tmpfs" }]' \
			"$USER_DIR/bundle/config.json" >"$b/config.json"
		for config in as-is nodev; do
			[ $config = as-is ] || {
				jq 'del(.mounts[] | select(.destination | startswith("/dev")))' "$b/config.json" >"$USER_DIR/c.json"
				cat "$USER_DIR/c.json" >"$b/config.json"
			}
			listing "$b" >"$USER_DIR/before"
			for i in 1 2; do
				next
				run task -c "$v" -b "$b" -k "passwd=$test_user:x:$(id -u "$test_user"):$(id -g "$test_user")::/:/bin/sh" \
					-- sh -c 'echo works; stat -f -c %T /deep/down/in; ls -d "$1"' sh "$USER_HOME"
				[ "${lines[*]}" = "works tmpfs $USER_HOME" ] || { echo "$v without '$gone', $config: $output"; return 1; }
				listing "$b" | diff "$USER_DIR/before" -
			done
		done
	done
	rm -rf "$b"
}

@test "links in the way of mount points lead where the container sees them lead" {
	local b=$USER_DIR/linked
	cp -a "$USER_DIR/bundle" "$b"
	ln -s /real/place "$b/rootfs/abs"
	mkdir -p "$b/rootfs/real/place"
	ln -s ../../../../../../etc "$b/rootfs/real/up"
	ln -s /nowhere/at/all "$b/rootfs/dangling"
	ln -s /etc/nothing "$b/rootfs/etc/resolv.conf"
	echo nameserver >"$USER_DIR/resolv"
	mkdir -p "$USER_DIR/data"
	echo data >"$USER_DIR/data/file"
	chmod -R a+rX "$USER_DIR/data" "$USER_DIR/resolv"
	jq --arg d "$USER_DIR" '.mounts += ["/abs/m", "/real/up/m", "/dangling/m" | { destination: ., type: "bind",
		source: ($d + "/data"), options: ["rbind"] }] + [{ destination: "/etc/resolv.conf", type: "bind",
		source: ($d + "/resolv"), options: ["bind"] }]' "$USER_DIR/bundle/config.json" >"$b/config.json"
	[ "$(id -u)" -ne 0 ] || chown -hR "$test_user:" "$b"
	listing "$b" >"$USER_DIR/before"
	for v in $variants; do
		run task -c "$v" -b "$b" -- sh -c 'cat /abs/m/file /real/place/m/file /etc/m/file /dangling/m/file /etc/resolv.conf'
		[ "${lines[*]}" = "data data data data nameserver" ] || { echo "$v: $output"; return 1; }
		listing "$b" | diff "$USER_DIR/before" -
	done
	rm -rf "$b"
}

@test "a folder of many entries gets no stand-in, and the job still runs" {
	local b=$USER_DIR/many
	cp -a "$USER_DIR/bundle" "$b"
	(cd "$b/rootfs" && seq -f 'entry%g' 1000 | xargs touch && rmdir home tmp)
	listing "$b" >"$USER_DIR/before"
	for v in $variants; do
		run task -c "$v" -b "$b" -- sh -c 'ls / | grep -c entry; pwd'
		[ "${lines[-2]}" = 1000 ] && [ "${lines[-1]}" = / ] || { echo "$v: $output"; return 1; }
		[[ "$output" = *"cannot be mounted"* ]]
		listing "$b" | diff "$USER_DIR/before" -
	done
	rm -rf "$b"
}

@test "a folder of the host that config.json binds gets no mount point either" {
	local b=$USER_DIR/bound
	cp -a "$USER_DIR/bundle" "$b"
	mkdir -p "$USER_DIR/scratch"
	[ "$(id -u)" -ne 0 ] || chown "$test_user" "$USER_DIR/scratch"
	jq --arg d "$USER_DIR/scratch" --arg t "/$(cut -d/ -f2 <<<"$USER_DIR")" '.mounts += [{ destination: $t, type: "bind",
		source: $d, options: ["rbind"] }]' "$USER_DIR/bundle/config.json" >"$b/config.json"
	for v in $variants; do
		run task -c "$v" -b "$b" -- sh -c 'echo works; pwd'
		[ "$status" -eq 0 ]
		[ "${lines[-2]} ${lines[-1]}" = "works /" ] || { echo "$v: $output"; return 1; }
		[ -z "$(ls -A "$USER_DIR/scratch")" ]
	done
	rm -rf "$b"
}

@test "config.json is written back with unknown fields, 64-bit values and empty objects as they were" {
	local b=$USER_DIR/odd
	cp -a "$USER_DIR/bundle" "$b"
	make_conf kept crun-run DisableCleanup=true
	jq -c '.annotations = {} | .process.capabilities = {} | .linux.resources = {} | .linux.seccomp = null
		| .linux.sysctl = {} | .linux.maskedPaths = [] | .["x-unknown"] = { a: [{}], "b/~": "ä\u0001", c: 1.50, d: null }' \
		"$USER_DIR/bundle/config.json" |
		sed 's/"x-unknown":{/&"max":18446744073709551615,"min":-9223372036854775808,"float":1.10e+3,/' >"$b/config.json"
	KEEP_SPOOL=1
	new_spool user
	run -99 task -c kept -s "$spool" -b "$b" -- true
	written=("$spool"/task-3.*/bundle/config.json)
	grep -qF '18446744073709551615' "${written[0]}"
	grep -qF -- '-9223372036854775808' "${written[0]}"
	grep -qF '1.10e+3' "${written[0]}"
	# Apart from what is ours, both say the same, in the same order.
	strip='del(.root.path, .process.args, .process.env, .process.cwd, .process.terminal, .mounts, .linux.uidMappings,
		.linux.gidMappings)'
	diff <(jq "$strip" "$b/config.json") <(jq "$strip" "${written[0]}")
	jq -e --slurpfile before "$b/config.json" '. as $after | $before[0].mounts | all(. as $m | $after.mounts | any(. == $m))' \
		"${written[0]}"
	diff <(jq -r 'paths(type == "object" and length == 0) | join("/")' "$b/config.json") \
		<(jq -r 'paths(type == "object" and length == 0) | join("/")' "${written[0]}")
	rm -rf "$b" "$spool"
}

@test "the job's folder is visible inside and the command starts there" {
	mkdir -p "$USER_HOME/job dir"
	echo input >"$USER_HOME/job dir/in"
	[ "$(id -u)" -ne 0 ] || chown -R "$test_user" "$USER_HOME/job dir"
	for v in $variants; do
		run task -c "$v" -d "$USER_HOME/job dir" -- sh -c 'pwd; cat in; echo output >out'
		[ "${lines[*]}" = "$USER_HOME/job dir input" ] || { echo "$v: $output"; return 1; }
		[ "$(cat "$USER_HOME/job dir/out")" = output ]
		[ "$(stat -c %U "$USER_HOME/job dir/out")" = "$test_user" ]
		rm "$USER_HOME/job dir/out"
	done
	# Where the image has that folder, it is the image's.
	run task -d /etc -- sh -c 'pwd; grep -c berthtest os-release'
	[ "${lines[*]}" = "/etc 1" ]
}

@test "the user's passwd and group entries are visible inside, the image's files unchanged" {
	local gid
	gid=$(id -g "$test_user")
	for v in $variants; do
		run task -c "$v" -k "passwd=somebody:x:$(id -u "$test_user"):$gid:Some Body:/home/sb:/bin/sh" -k "group=folk:x:$gid:" \
			-k "group=others:x:4711:somebody" -- cat /etc/passwd /etc/group
		[ "${lines[0]}" = root:x:0:0:root:/root:/bin/sh ]
		[ "${lines[1]}" = "somebody:x:$(id -u "$test_user"):$gid:Some Body:/home/sb:/bin/sh" ]
		[ "${lines[2]}" = root:x:0: ]
		[ "${lines[3]}" = "folk:x:$gid:" ]
		[ "${lines[4]}" = others:x:4711:somebody ]
		run task -c "$v" -- grep -c "^$test_user:" /etc/passwd
		[ "$output" = 1 ]
	done
	run ! grep -q "$test_user" "$USER_DIR/bundle/rootfs/etc/passwd"
	run task -k passwd=other:x:1:1::/:/bin/sh -- true
	[ "$status" -eq 125 ]
	[[ "$output" = *"passwd= is of uid 1"* ]]
}

@test "an image without /etc/passwd, or with a link in its place" {
	local b=$USER_DIR/nopasswd
	cp -a "$USER_DIR/bundle" "$b"
	rm "$b"/rootfs/etc/{passwd,group}
	run task -b "$b" -- grep -c "^$test_user:" /etc/passwd
	[ "$output" = 1 ]
	echo root:x:0:0::/:/bin/sh >"$b/rootfs/etc/real"
	ln -s real "$b/rootfs/etc/passwd"
	run task -b "$b" -- grep -c : /etc/passwd /etc/real
	[ "${lines[*]}" = "/etc/passwd:2 /etc/real:2" ] || [ "${lines[*]}" = "/etc/passwd:2 /etc/real:1" ]
	# A link that leaves the image stays inside.
	ln -sf /../../../../../../etc/shadow "$b/rootfs/etc/passwd"
	run task -b "$b" -- true
	[ "$status" -eq 0 ]
	rm -rf "$b"
}

@test "the environment: the image's, overlaid by the task's; PATH and LD_* only on the user's word" {
	for v in $variants; do
		run task -c "$v" -e FROM_IMAGE=changed -e 'ODD=a "b" $(c)' -e LD_LIBRARY_PATH=/host/lib -e LD_PRELOAD=/x.so -- env
		[[ "$output" = *FROM_IMAGE=changed* ]]
		[[ "$output" = *'ODD=a "b" $(c)'* ]]
		[[ "$output" != *LD_* ]]
		grep -qx PATH=/usr/local/bin:/usr/bin:/bin <<<"$output"
		run task -c "$v" -e PATH=/bin:/mine -e LD_X=1 -k export=PATH -k export=LD_X -- env
		grep -qx PATH=/bin:/mine <<<"$output"
		grep -qx LD_X=1 <<<"$output"
	done
}

@test "neither PATH nor LD_LIBRARY_PATH nor LD_PRELOAD misleads it" {
	[ -z "${BERTH_TEST_SANITIZED:-}" ] || skip "host: sanitized programs are not static"
	local trap=$USER_DIR/trap t=$BERTH_STAGE/libexec/berth/berth-task
	mkdir -p "$trap"
	for p in crun runc sh getent newuidmap newgidmap; do
		printf '#!/bin/sh\ntouch %s/sprung\nexit 3\n' "$trap" >"$trap/$p"
		chmod 755 "$trap/$p"
	done
	echo 'this is no library' >"$trap/libc.so.6"
	cp "$trap/libc.so.6" "$trap/evil.so"
	chmod 777 "$trap"
	make_conf shell-crun none "$(sed 's/="/="true; /' "$USER_DIR/conf/crun-run.conf")"
	for v in $variants shell-crun; do
		task_prepare -c "$v" -e "PATH=$trap" -e "LD_LIBRARY_PATH=$trap" -e "LD_PRELOAD=$trap/evil.so" -- echo fine
		run as_user env "PATH=$trap:/usr/bin:/bin" "LD_LIBRARY_PATH=$trap" "LD_PRELOAD=$trap/evil.so" "$t" --request "$request"
		[ "${lines[-1]}" = fine ] || { echo "$v: $output"; return 1; }
		# Only env's own loader may have had something to say.
		[ ! -e "$trap/sprung" ]
		task_forget
	done
}

@test "hooks of the bundle run, and DisableHooks takes its kinds out" {
	local b=$USER_DIR/hooks all=prestart,createRuntime,createContainer,startContainer,poststart,poststop
	cp -a "$USER_DIR/bundle" "$b"
	# A runtime stumbles over a hook that does not read the state it is given.
	printf '#!/bin/sh\ncat >/dev/null\necho "$1" >>%s/hooked\n' "$USER_DIR" >"$b/rootfs/hook"
	cp "$b/rootfs/hook" "$USER_DIR/hook"
	chmod 755 "$b/rootfs/hook" "$USER_DIR/hook"
	# startContainer's runs inside, where the job's folder is the place that both see.
	sed -i "s|$USER_DIR/hooked|$USER_HOME/hooked|" "$b/rootfs/hook"
	jq --arg h "$USER_DIR/hook" '.hooks = (["prestart", "createRuntime", "createContainer", "poststart", "poststop"]
		| map({ (.): [{ path: $h, args: ["hook", .] }] }) | add)
		+ { startContainer: [{ path: "/hook", args: ["hook", "startContainer"] }] }' \
		"$USER_DIR/bundle/config.json" >"$b/config.json"
	ran() { cat "$USER_DIR/hooked" "$USER_HOME/hooked" 2>/dev/null | sort | tr '\n' ' '; rm -f "$USER_DIR/hooked" "$USER_HOME/hooked"; }
	touch_hooked() { (umask 0; touch "$USER_DIR/hooked" "$USER_HOME/hooked"); chmod 666 "$USER_DIR/hooked" "$USER_HOME/hooked"; }
	for v in $variants; do
		touch_hooked
		run task -c "$v" -b "$b" -- true
		[ "$status" -eq 0 ] || { echo "$v: $output"; return 1; }
		[ "$(ran)" = "createContainer createRuntime poststart poststop prestart startContainer " ]
		make_conf hooks-off "$v" "DisableHooks=$all"
		touch_hooked
		task -c hooks-off -b "$b" -- true
		[ -z "$(ran)" ]
		make_conf hooks-some "$v" DisableHooks=createRuntime,poststop
		touch_hooked
		task -c hooks-some -b "$b" -- true
		[ "$(ran)" = "createContainer poststart prestart startContainer " ]
	done
	rm -rf "$b"
}

@test "a batch script is visible inside and runs with its arguments" {
	printf '#!/bin/sh\necho "script $1 in $(grep -c Berth /etc/os-release)"\nexit 9\n' >"$USER_DIR/job.sh"
	chmod 644 "$USER_DIR/job.sh"
	for v in $variants; do
		run task -c "$v" -k "script=$USER_DIR/job.sh" -- "$USER_DIR/job.sh" 'an arg'
		[ "$output" = "script an arg in 2" ] || { echo "$v: $output"; return 1; }
		[ "$status" -eq 9 ]
	done
}

@test "an image's user other than root, with several mapped ids" {
	[ "$(id -u)" -eq 0 ] || skip "host: not root"
	grep -q "^$test_user:" /etc/subuid || skip "host: no subordinate ids"
	local b=$USER_DIR/ids first
	first=$(awk -F: -v u="$test_user" '$1 == u { print $2 }' /etc/subuid)
	cp -a "$USER_DIR/bundle" "$b"
	ids='.process.user = { uid: 1000, gid: 1000 }
		| .linux.uidMappings = [{ containerID: 0, hostID: $uid, size: 1 }, { containerID: 1, hostID: $first, size: 65535 }]
		| .linux.gidMappings = [{ containerID: 0, hostID: $gid, size: 1 }, { containerID: 1, hostID: $first, size: 65535 }]'
	for more in . 'del(.mounts[] | select(.destination | startswith("/dev")))'; do
		jq --argjson uid "$(id -u "$test_user")" --argjson gid "$(id -g "$test_user")" --argjson first "$first" \
			"$ids | $more" "$USER_DIR/bundle/config.json" >"$b/config.json"
		for v in $variants; do
			run task -c "$v" -b "$b" -d /tmp -- sh -c 'id -u; mkdir -p /tmp/d && touch /tmp/d/f && rm -r /tmp/d; exit 4'
			[ "${lines[*]}" = 1000 ] && [ "$status" -eq 4 ] || { echo "$v, $more: $output"; return 1; }
		done
	done
	# What another id made in a stand-in goes, too.
	run task -b "$b" -- sh -c 'mkdir -p /tmp/d/e && echo x >/tmp/d/e/f; exit 4'
	[ "$status" -eq 4 ] || { echo "$output"; return 1; }
	printf '#!/bin/sh\necho "I am $(id -u)"\n' >"$USER_DIR/ids.sh"
	chmod 755 "$USER_DIR/ids.sh"
	run task -b "$b" -d /tmp -k "script=$USER_DIR/ids.sh" -- x
	[ "$output" = "I am 1000" ]
	rm -rf "$b"
}

@test "a seccomp profile, rlimits, capabilities and no_new_privs of the bundle hold" {
	local b=$USER_DIR/strict
	cp -a "$USER_DIR/bundle" "$b"
	jq '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"],
			syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }] }
		| .process.capabilities = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] }
		| .process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 64, hard: 64 }] | .process.noNewPrivileges = true' \
		"$USER_DIR/bundle/config.json" >"$b/config.json"
	for v in $variants; do
		run task -c "$v" -b "$b" -- sh -c 'mkdir /tmp/x 2>/dev/null || echo refused; ulimit -n
			grep -E "NoNewPrivs|CapBnd" /proc/self/status | tr -d "\t"'
		[ "${lines[*]}" = "refused 64 CapBnd:0000000000000000 NoNewPrivs:1" ] || { echo "$v: $output"; return 1; }
	done
	rm -rf "$b"
}

@test "a full disk: 125, and why" {
	[ "$(id -u)" -eq 0 ] || skip "host: not root"
	new_spool user
	mount -t tmpfs -o "size=64k,mode=700,uid=$(id -u "$test_user")" tmpfs "$spool"
	dd if=/dev/zero of="$spool/full" bs=4k 2>/dev/null || true
	task_prepare -s "$spool" -- true
	run as_user "$BERTH_STAGE/libexec/berth/berth-task" --request "$request"
	left=$(find "$spool" -mindepth 1 ! -name full)
	umount "$spool"
	[ "$status" -eq 125 ]
	[[ "$output" = *"No space left on device"* ]]
	[ -z "$left" ] || { echo "left: $left"; return 1; }
}

@test "no descriptor of the launcher's or berth-task's own reaches the container" {
	for v in $variants; do
		run task -c "$v" -- ls /proc/self/fd 5</dev/null 7>/dev/null
		[ "${lines[*]}" = "0 1 2 3" ] || { echo "$v: $output"; return 1; }
	done
}
