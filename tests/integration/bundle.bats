#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# berth bundle: every source, by an ordinary user, and run with both runtimes by hand.
load helper

setup_file() {
	helper_setup_file
	cd "$USER_DIR/home"
	make_rootfs "$USER_HOME/rootfs"
	mkfifo "$USER_HOME/rootfs/tmp/fifo"
	mkdir "$USER_HOME/rootfs/tmp/a folder"
	printf '%*s' 300 x | tr ' ' n >"$USER_HOME/rootfs/tmp/a folder/$(printf '%*s' 200 x | tr ' ' n)"
	ln "$USER_HOME/rootfs/etc/passwd" "$USER_HOME/rootfs/etc/passwd-"
	printf 'Gr\303\274n \377' >"$USER_HOME/rootfs/tmp/$(printf 'gr\303\274n')"
	printf 'app:x:1000:1000::/srv/app:/bin/sh\n' >>"$USER_HOME/rootfs/etc/passwd"
	[ "$(id -u)" -ne 0 ] || chown -R "$test_user:" "$USER_HOME"
}

setup() {
	cd "$USER_HOME"
}

teardown() {
	# A bundle is made in one step: whatever a test did, nothing half made is left.
	run find "$USER_HOME" -maxdepth 2 -name '.*.berth-*'
	[ -z "$output" ]
	chmod -R u+rwX "$USER_HOME"/b* 2>/dev/null || true
	rm -rf "$USER_HOME"/b*
}

create() {
	run as_user berth bundle create "$@"
	printf '%s\n' "$output"
	[ "$status" -eq 0 ]
}

# The bundle's own command, or another, in each runtime there is.
run_in() {
	local runtime=$1 bundle=$2
	run as_user "$runtime" --root "$USER_HOME/runtime" run -b "$bundle" "c-$runtime-$RANDOM"
	printf '%s\n' "$output"
}

set_args() {
	jq --argjson args "$2" '.process.args = $args' "$1/config.json" >"$USER_DIR/new.json"
	cat "$USER_DIR/new.json" >"$1/config.json"
}

runs_in_both() {
	local rt
	set_args "$1" '["sh", "-c", "grep PRETTY /etc/os-release; id -u; exit 7"]'
	run as_user berth bundle check "$1"
	printf '%s\n' "$output"
	[ "$status" -eq 0 ]
	for rt in runc crun; do
		run_in $rt "$1"
		[ "$status" -eq 7 ]
		[ "${lines[0]}" = 'PRETTY_NAME="Berth Test Linux"' ]
		[ "${lines[1]}" = 0 ]
	done
}

same_tree() {
	diff <(cd "$1" && find . -printf '%P %y %m %s %l\n' | sort) <(cd "$2" && find . -printf '%P %y %m %s %l\n' | sort)
	(cd "$1" && find . -type f -exec sha256sum {} +) | (cd "$2" && sha256sum --quiet -c -)
}

@test "a folder becomes a bundle that runs in crun and runc" {
	create b --from rootfs
	[ -z "$output" ]
	runs_in_both b
	[ "$(stat -c %i b/rootfs/etc/passwd)" = "$(stat -c %i b/rootfs/etc/passwd-)" ]
	[ "$(stat -c %U b/rootfs/bin/busybox)" = "$test_user" ]
}

@test "the superuser's bundle runs too" {
	[ "$(id -u)" -eq 0 ] || skip "host: needs the superuser"
	berth bundle create b --from rootfs
	berth bundle check b
	set_args b '["sh", "-c", "id -u; exit 7"]'
	for rt in runc crun; do
		run unshare -m --propagation private sh -c "$without_hybrid" sh \
			"$rt" --root "$USER_DIR/runtime-root" run -b b "c-$rt-$RANDOM"
		printf '%s\n' "$output"
		[ "$status" -eq 7 ]
	done
	run as_user berth bundle check b
	[ "$status" -eq 0 ]
	[[ "$output" == *"/linux/uidMappings/0/hostID: 0 is not your own uid"* ]]
}

@test "the network is the host's, and so are its name and its resolver" {
	create b --from rootfs
	set_args b '["sh", "-c", "readlink /proc/self/ns/net; readlink /proc/self/ns/uts; cat /etc/resolv.conf"]'
	for rt in runc crun; do
		run_in $rt b
		[ "$status" -eq 0 ]
		[ "${lines[0]}" = "$(readlink /proc/self/ns/net)" ]
		[ "${lines[1]}" = "$(readlink /proc/self/ns/uts)" ]
		[[ "$output" == *"$(tail -n 1 /etc/resolv.conf)" ]]
	done
}

@test "archives, however compressed and in whatever format, give the same" {
	create b --from rootfs
	for z in gzip bzip2 xz zstd cat; do
		tar -C rootfs -c . | $z >b.tar
		create b-$z --from b.tar
		same_tree b/rootfs b-$z/rootfs
	done
	for format in ustar gnu oldgnu posix; do
		# ustar has no room for the long name
		tar -C rootfs --format=$format --exclude='*nnnnnnn*' -cf b.tar .
		create b-$format --from b.tar
		rm -rf "b-$format/rootfs/tmp/a folder" "b/rootfs/tmp/a folder"
		same_tree b/rootfs b-$format/rootfs
	done
}

@test "sparse files stay sparse, in each of the formats" {
	mkdir b-src
	truncate -s 64M b-src/hole
	printf middle | dd of=b-src/hole bs=1 seek=30000000 conv=notrunc status=none
	for i in 1 3 5 7 9 11 13 15 17 19 21 23 25 27 29; do
		printf x | dd of=b-src/hole bs=1M seek=$i conv=notrunc status=none
	done
	for how in "--format=gnu" "--format=posix --sparse-version=0.0" "--format=posix --sparse-version=0.1" \
		"--format=posix --sparse-version=1.0"; do
		# shellcheck disable=SC2086
		tar -C b-src -S $how -cf b.tar .
		create b --from b.tar
		cmp b-src/hole b/rootfs/hole
		[ "$(du -k b/rootfs/hole | cut -f1)" -lt 8192 ]
		rm -rf b
	done
}

@test "what docker export writes to a pipe becomes a bundle" {
	run as_user sh -c 'tar -C rootfs -c . | berth bundle create b --from -'
	[ "$status" -eq 0 ]
	runs_in_both b
	run as_user sh -c 'tar -C rootfs -c . | gzip | berth bundle create b2 --from -'
	[ "$status" -eq 0 ]
	same_tree b/rootfs b2/rootfs
}

@test "a folder can be used where it is" {
	create b --from rootfs --in-place
	[ ! -e b/rootfs ]
	[ "$(jq -r .root.path b/config.json)" = "$USER_HOME/rootfs" ]
	runs_in_both b
}

@test "an existing folder is refused, an empty one is taken" {
	mkdir b b-full
	touch b-full/x b-file
	chmod 777 b
	create b --from rootfs
	run as_user berth bundle create b-full --from rootfs
	[ "$status" -eq 1 ]
	[[ "$output" == *"exists and is not empty"* ]]
	run as_user berth bundle create b-file --from rootfs
	[[ "$output" == *"exists and is not a folder"* ]]
	run as_user berth bundle create rootfs/b --from rootfs
	[[ "$output" == *"would lie inside of"* ]]
}

@test "what is wrong with a source is said, and nothing is made" {
	mkdir -p b-layout b-bundle/rootfs
	touch b-layout/oci-layout b-bundle/config.json
	while IFS='|' read -r from said; do
		run as_user berth bundle create b --from "$from"
		printf '%s\n' "$output"
		[ "$status" -eq 1 ]
		[[ "$output" == *"$said"* ]]
		[ ! -e b ]
	done <<-'END'
		nowhere|No such file or directory
		ftp://x/y|is none of
		oci:|names no image
		docker://|names no image
		debian:|without a suite
		debian:../x|is no Debian suite
		b-layout|write oci:b-layout
		b-bundle|is a bundle already
		oci:nowhere|skopeo
		/etc/passwd|Unrecognized archive format
		/dev/null|of no entries
	END
}

@test "an archive that is cut off or damaged makes nothing" {
	tar -C rootfs -cf b.tar .
	gzip -k b.tar
	head -c 1000000 b.tar >b-cut.tar
	head -c 500000 b.tar.gz >b-cut.tar.gz
	cp b.tar.gz b-bad.tar.gz
	printf 'xxxxxxxxxxxxxxxx' | dd of=b-bad.tar.gz bs=1 seek=300000 conv=notrunc status=none
	for f in b-cut.tar b-cut.tar.gz b-bad.tar.gz; do
		run as_user berth bundle create b --from $f
		printf '%s\n' "$output"
		[ "$status" -eq 1 ]
		[ ! -e b ]
	done
	# One bit, which none but a checksum finds.
	for z in gzip bzip2 xz zstd; do
		$z -c b.tar >b.tar.z
		python3 - <<-'END'
			data = bytearray(open("b.tar.z", "rb").read())
			data[len(data) * 2 // 3] ^= 1
			open("b-bit.tar.z", "wb").write(data)
		END
		run as_user berth bundle create b --from b-bit.tar.z
		printf '%s: %s\n' $z "$output"
		[ "$status" -eq 1 ]
		[ ! -e b ]
	done
	cat b.tar.gz <(printf '' | gzip) <(head -c 1000 /dev/zero) >b-members.tar.gz
	create b --from b-members.tar.gz
	rm -rf b
}

@test "a file that cannot be read is named, and nothing is made" {
	[ "$test_user" != root ] || skip "tests run as the superuser alone"
	mkdir b-src
	touch b-src/closed
	chown root b-src/closed 2>/dev/null || skip "needs another user's file"
	chmod 600 b-src/closed
	run as_user berth bundle create b --from b-src
	[ "$status" -eq 1 ]
	[[ "$output" == *"closed: Cannot open: Permission denied"* ]]
	[ ! -e b ]
}

@test "a hostile archive writes nothing outside" {
	local out=$USER_HOME/b-outside/victim made refused
	mkdir b-outside
	echo untouched >"$out.there"
	[ "$(id -u)" -ne 0 ] || chown -R "$test_user:" b-outside
	for kind in dotdot inner-dotdot absolute link-then-file link-folder-then-file relative-link-folder \
		chain-of-links folder-becomes-link hardlink-out hardlink-dotdot hardlink-through-link hardlink-to-link \
		root-becomes-link deep deep-through-links long-name long-link many sparse-bomb; do
		"$BATS_TEST_DIRNAME/hostile-tar" $kind "$out" >b.tar
		run as_user berth bundle create b --from b.tar --max-files=15000 --max-size=1G
		printf '%s: %s %s\n' $kind "$status" "$output"
		[ "$(ls b-outside)" = victim.there ]
		[ "$(cat "$out.there")" = untouched ]
		[ "$(stat -c %h "$out.there")" = 1 ]
		if [ "$status" -eq 0 ]; then
			made+=" $kind"
			[ -f b/config.json ]
			chmod -R u+rwX b
			rm -rf b
		else
			[ "$status" -eq 1 ]
			refused+=" $kind"
			[ ! -e b ]
		fi
	done
	for kind in dotdot inner-dotdot hardlink-dotdot root-becomes-link deep long-name many sparse-bomb; do
		[[ "$refused " == *" $kind "* ]]
	done
	[ "$made" = " absolute link-then-file hardlink-to-link deep-through-links" ]
	# Deeper than a path may be long, and yet taken back.
	"$BATS_TEST_DIRNAME/hostile-tar" deep-through-links "$out" >b.tar
	run as_user berth bundle create b --from b.tar --max-files=20
	[ "$status" -eq 1 ]
	[ ! -e b ]
}

@test "devices, set-id bits and closed folders of an archive do no harm" {
	"$BATS_TEST_DIRNAME/hostile-tar" devices x >b.tar
	create b --from b.tar
	[[ "$output" == *"2 device files were left out"* ]]
	[ "$(ls b/rootfs/dev)" = fifo ]
	"$BATS_TEST_DIRNAME/hostile-tar" modes x >b.tar
	create b2 --from b.tar
	[[ "$output" == *"1 files lost their setuid"* ]]
	[ "$(stat -c %a b2/rootfs/su)" = 755 ]
	[ "$(stat -c %a b2/rootfs/closed)" = 700 ]
	as_user rm -r b2
}

@test "an archive that grows beyond all measure stops at --max-size" {
	head -c 100M /dev/zero >b-zeros
	tar -c b-zeros | gzip -1 >b.tar.gz
	rm b-zeros
	run as_user berth bundle create b --from b.tar.gz --max-size=50M
	[ "$status" -eq 1 ]
	[[ "$output" == *"b-zeros: more than 52428800 bytes; --max-size=N allows more"* ]]
	[ ! -e b ]
}

@test "a full disk is said and nothing is left" {
	[ "$(id -u)" -eq 0 ] || skip "host: mounting needs the superuser"
	tar -C rootfs -c . >b.tar
	mkdir b-disk
	run unshare -m --propagation private sh -c '
		mount -t tmpfs -o size=1m,mode=777 tmpfs b-disk
		setpriv --reuid='"$test_user"' --regid='"$test_user"' --init-groups \
			"$BERTH_STAGE/bin/berth" bundle create b-disk/b --from b.tar
		echo "status $?"
		ls -A b-disk'
	printf '%s\n' "$output"
	[[ "${lines[0]}" == *"No space left on device" ]]
	[ "${lines[1]}" = "status 1" ]
	[ "${#lines[@]}" -eq 2 ]
}

# Starts a creation whose archive never ends; $pid is berth's.
start_endless() {
	mkfifo -m 666 b.pipe
	as_user sh -c 'echo $$ >b.pid; exec berth bundle create b --from - <b.pipe' 2>b.err &
	exec 7>b.pipe
	tar -C rootfs -c . | head -c 1000000 >&7
	wait_for 10 sh -c 'ls -d .b.berth-*/bundle/rootfs/bin >/dev/null 2>&1'
	pid=$(cat b.pid)
}

@test "a signal takes everything back" {
	for sig in INT TERM HUP; do
		start_endless
		kill -$sig "$pid"
		status=0
		wait $! || status=$?
		exec 7>&-
		[ "$status" -eq $((128 + $(kill -l $sig))) ]
		grep -q "interrupted by SIG$sig" b.err
		[ -z "$(ls -d b .b.berth-* 2>/dev/null)" ]
		rm b.pipe
	done
}

@test "what a killed run left is removed by the next, what another run is at is not" {
	start_endless
	kill -KILL "$pid"
	wait $! || true
	exec 7>&-
	rm b.pipe
	ls -d .b.berth-*
	start_endless
	[ "$(find . -maxdepth 1 -name '.b.berth-*' | wc -l)" -eq 1 ]
	create b --from rootfs
	[ "$(find . -maxdepth 1 -name '.b.berth-*' | wc -l)" -eq 1 ]
	kill -TERM "$pid"
	exec 7>&-
	wait $! || true
	[ -d b ]
}

@test "killed at any moment, it has made a whole bundle or none" {
	local seed=${BERTH_TEST_SEED:-$RANDOM} sig made=0 n=${BERTH_TEST_KILLS:-20}
	echo "seed $seed"
	RANDOM=$seed
	for ((i = 0; i < n; i++)); do
		sig=$((RANDOM % 3 ? 9 : 15))
		as_user sh -c 'echo $$ >b.pid; exec berth bundle create b --from rootfs' 2>b.err &
		wait_for 5 test -s b.pid
		sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
		kill -$sig "$(cat b.pid)" 2>/dev/null || true
		wait $! || true
		rm b.pid
		if [ -e b ]; then
			made=$((made + 1))
			[ -s b/config.json ]
			cmp rootfs/bin/busybox b/rootfs/bin/busybox
			rm -rf b
		fi
	done
	echo "made $made of $n"
	create b --from rootfs
}

@test "a registry that does not answer is left at a signal" {
	python3 - <<-'END' &
		import socket, time
		s = socket.socket()
		s.bind(("127.0.0.1", 0))
		s.listen()
		open("b.port", "w").write(str(s.getsockname()[1]))
		time.sleep(30)
	END
	local server=$!
	wait_for 5 test -s b.port
	as_user sh -c 'echo $$ >b.pid; exec berth bundle create b --from docker://127.0.0.1:$(cat b.port)/x' 2>b.err &
	wait_for 5 sh -c 'pgrep -P "$(cat b.pid)" skopeo'
	kill -INT "$(cat b.pid)"
	status=0
	wait $! || status=$?
	kill $server
	[ "$status" -eq 130 ]
	grep -q 'interrupted by SIGINT' b.err
	[ ! -e b ]
}

@test "progress is for terminals" {
	run as_user berth bundle create b --from rootfs
	[ -z "$output" ]
	run as_user script -qec 'berth bundle create b2 --from rootfs' /dev/null
	[ "$status" -eq 0 ]
	[[ "$output" == *"copying: "*entries* ]]
}
