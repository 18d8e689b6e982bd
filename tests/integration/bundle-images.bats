#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# berth bundle from images: a layout, an archive and a registry of this machine's own, beside what umoci makes of them;
# and the ways by hand that Slurm's containers guide describes.
load helper

setup_file() {
	helper_setup_file
	cd "$USER_HOME"
	make_image
	start_registry
	as_user skopeo copy -q --dest-tls-verify=false oci:layout:v1 "docker://$REGISTRY/some/image:v1"
	as_user umoci config --image layout:v1 --tag root --config.user=
	as_user skopeo copy -q --dest-tls-verify=false oci:layout:root "docker://$REGISTRY/some/image:root"
	as_user skopeo copy -q oci:layout:v1 docker-archive:archive.tar:some/image:v1
}

teardown_file() {
	[ -z "${REGISTRY_PID:-}" ] || kill "$REGISTRY_PID" || true
	helper_teardown_file
}

setup() {
	cd "$USER_HOME"
}

teardown() {
	chmod -R u+rwX "$USER_HOME"/b* 2>/dev/null || true
	rm -rf "$USER_HOME"/b*
}

# Three layers: a system; files and a folder that the third removes, replaces and makes opaque.
make_image() {
	cat >make-image.sh <<-'END'
		set -e
		umoci init --layout layout
		umoci new --image layout:v1
		umoci unpack --rootless --image layout:v1 work
		cp -a rootfs/. work/rootfs/
		mkdir -p work/rootfs/srv/app work/rootfs/data/deep work/rootfs/swap work/rootfs/lib
		touch work/rootfs/data/a work/rootfs/data/deep/b work/rootfs/swap/inside work/rootfs/gone work/rootfs/lib/old
		echo "app:x:1000:1000::/srv/app:/bin/sh" >>work/rootfs/etc/passwd
		umoci repack --refresh-bundle --image layout:v1 work
		rm -rf work/rootfs/data work/rootfs/swap work/rootfs/gone
		mkdir work/rootfs/data
		touch work/rootfs/data/new work/rootfs/swap
		ln work/rootfs/data/new work/rootfs/data/linked
		umoci repack --refresh-bundle --image layout:v1 work
		echo two >work/rootfs/srv/app/two
		mv work/rootfs/lib work/rootfs/usr/lib
		ln -s usr/lib work/rootfs/lib
		umoci repack --image layout:v1 work
		umoci config --image layout:v1 --config.entrypoint=/bin/sh --config.entrypoint=-c \
			--config.cmd='echo $GREETING $HOME $PWD; id -u; exit 7' --config.env=GREETING=hello \
			--config.workingdir=/srv/app --config.user=app --config.label=org.example.kind=test
		chmod -R u+rwX work
		rm -rf work
	END
	make_rootfs "$USER_HOME/rootfs"
	[ "$(id -u)" -ne 0 ] || chown -R "$test_user:" "$USER_HOME"
	as_user sh make-image.sh
}

start_registry() {
	local port
	command -v docker-registry >/dev/null || return 1
	for _ in 1 2 3 4 5; do
		port=$((20000 + RANDOM % 20000))
		cat >registry.yml <<-END
			version: 0.1
			storage: { filesystem: { rootdirectory: $USER_HOME/registry } }
			http: { addr: "127.0.0.1:$port" }
		END
		docker-registry serve registry.yml >registry.log 2>&1 3>&- &
		REGISTRY_PID=$!
		wait_for 10 sh -c "! kill -0 $REGISTRY_PID 2>/dev/null || : <>/dev/tcp/127.0.0.1/$port" 2>/dev/null || true
		if wait_for 5 bash -c ": <>/dev/tcp/127.0.0.1/$port" 2>/dev/null; then
			export REGISTRY=127.0.0.1:$port REGISTRY_PID
			return 0
		fi
		kill "$REGISTRY_PID" 2>/dev/null || true
	done
	cat registry.log
	return 1
}

create() {
	run as_user berth bundle create "$@"
	printf '%s\n' "$output"
	[ "$status" -eq 0 ]
}

tree_of() {
	(cd "$1" && find . -printf '%P %y %s %l\n' | sed 's/^\(.* d\) [0-9]*/\1/' | sort)
}

# What a runtime and berth say that the image says.
runs_as_image() {
	local rt
	run as_user berth bundle check "$1"
	printf '%s\n' "$output"
	[ "$status" -eq 0 ]
	for rt in runc crun; do
		run as_user $rt --root "$USER_HOME/runtime" run -b "$1" "c-$rt-$RANDOM"
		printf '%s\n' "$output"
		[ "$status" -eq 7 ]
		[ "${lines[0]}" = "hello /srv/app /srv/app" ]
		[ "${lines[1]}" = 0 ]
	done
}

@test "an image of a layout becomes a bundle, its files those that umoci makes" {
	create b --from oci:layout:v1
	[[ "$output" == *"the image's user is 'app'"* ]]
	runs_as_image b
	[ "$(jq -r '.annotations["org.example.kind"]' b/config.json)" = test ]
	as_user umoci unpack --rootless --image layout:v1 b-umoci
	rm b/rootfs/etc/resolv.conf b/rootfs/etc/hosts
	diff <(tree_of b-umoci/rootfs) <(tree_of b/rootfs)
	[ "$(ls b/rootfs/data)" = "$(printf 'linked\nnew')" ]
	[ -f b/rootfs/swap ]
	[ ! -e b/rootfs/gone ]
	[ -L b/rootfs/lib ]
}

@test "an image of a registry becomes a bundle" {
	create b --from "docker://$REGISTRY/some/image:v1" --tls-verify=false
	runs_as_image b
	run as_user berth bundle create b2 --from "docker://$REGISTRY/some/image:none" --tls-verify=false
	[ "$status" -eq 1 ]
	[[ "$output" == *"manifest unknown"* ]]
	run as_user berth bundle create b2 --from "docker://$REGISTRY/some/image:v1"
	[ "$status" -eq 1 ]
	printf '%s\n' "$output"
	[[ "$output" == *"--tls-verify=false"* ]]
	[ ! -e b2 ]
}

@test "what docker save writes becomes a bundle" {
	create b --from docker-archive:archive.tar
	runs_as_image b
}

@test "layers compressed with zstd are read" {
	as_user skopeo copy -q --dest-compress-format=zstd docker-archive:archive.tar oci:b-zstd:v1
	create b --from oci:b-zstd:v1
	runs_as_image b
}

@test "a layer whose content is not what its digest says is refused" {
	cp -a layout b-layout
	blob=$(find b-layout/blobs -type f -size +100k | head -n 1)
	printf x | dd of="$blob" bs=1 seek=1000 conv=notrunc status=none
	run as_user berth bundle create b --from oci:b-layout:v1
	[ "$status" -eq 1 ]
	[ ! -e b ]
}

@test "skopeo and mmdebstrap get what was said, word by word" {
	local program
	mkdir b-bin
	for program in skopeo mmdebstrap; do
		printf '%s\n' '#!/bin/sh' 'printf "<%s>\n" "$@" >b-said' 'echo first >&2' 'echo "last words" >&2' 'exit 3' >b-bin/$program
		chmod 755 b-bin/$program
	done
	run as_user env "PATH=$USER_HOME/b-bin:$PATH" berth bundle create b --from 'docker://x/$(touch b-no) y;z' \
		--authfile 'my file' --creds 'me:pass word' --tls-verify=true --arch arm64
	printf '%s\n' "$output"
	[ "$status" -eq 1 ]
	[ "${lines[0]}" = first ]
	[ "${lines[-1]}" = "berth bundle: skopeo: last words" ]
	diff <(sed 's,oci:.*/,oci:.../,' b-said) - <<-'END'
		<--override-arch=arm64>
		<copy>
		<--dest-oci-accept-uncompressed-layers>
		<--src-tls-verify=true>
		<--src-authfile=my file>
		<--src-creds=me:pass word>
		<docker://x/$(touch b-no) y;z>
		<oci:.../image>
	END
	run as_user env "PATH=$USER_HOME/b-bin:$PATH" berth bundle create b --from debian:sid --variant=minbase \
		--include=a,b --mirror=http://m/
	[ "$status" -eq 1 ]
	[ "${lines[-1]}" = "berth bundle: mmdebstrap: last words" ]
	[ "$(tr '\n' ' ' <b-said)" = "<--format=tar> <--variant=minbase> <--include=a,b> <sid> <-> <http://m/> " ]
	[ ! -e b ]
	[ ! -e b-no ]
	run as_user env "PATH=$USER_HOME/b-none" "$BERTH_STAGE/bin/berth" bundle create b --from docker://x/y
	[[ "$output" == *"skopeo is needed and not installed"* ]]
}

@test "with --userns=keep-id the user is the user, in crun" {
	create b --from oci:layout:v1 --userns=keep-id
	run as_user berth bundle check b
	[ "$status" -eq 0 ]
	[[ "$output" == *"runc 1.1 refuses"* ]]
	run as_user crun --root "$USER_HOME/runtime" run -b b "c-$RANDOM"
	[ "$status" -eq 7 ]
	[ "${lines[1]}" = "$(id -u "$test_user")" ]
}

# The guide's bundles run as they come, as a job; and with the runtimes alone, but for the terminal that the config.json
# asks for and that there is none of here.
runs_by_hand() {
	local rt
	run as_user berth bundle check "$1"
	printf '%s\n' "$output"
	[ "$status" -eq 0 ]
	run as_user srun --container "$1" /bin/busybox id -u
	printf '%s\n' "$output"
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = 0 ]
	jq '.process.args = ["/bin/busybox", "id", "-u"] | .process.terminal = false' "$1/config.json" >c.json
	cat c.json >"$1/config.json"
	for rt in "${@:2}"; do
		run as_user "$rt" --root "$USER_HOME/runtime" run -b "$1" "c-$rt-$RANDOM"
		printf '%s\n' "$output"
		[ "$status" -eq 0 ]
		[ "$output" = 0 ]
	done
}

@test "by hand: docker export into a folder, and runc spec" {
	as_user sh -c 'mkdir -p b/rootfs; tar -C rootfs -c . | tar -C b/rootfs -xf -; cd b; runc --rootless=true spec --rootless'
	runs_by_hand b runc crun
}

@test "by hand: skopeo and umoci with a registry" {
	as_user skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/some/image:root" oci:b-oci:latest
	as_user umoci unpack --rootless --image b-oci b
	runs_by_hand b runc crun
}

@test "a new Debian, by hand and by berth" {
	local packages=busybox-static,base-files
	as_user sh -c "mmdebstrap --quiet --variant=extract --include=$packages --format=tar bookworm b.tar 2>b.log" ||
		skip "host: mmdebstrap does not work here: $(tail -n 1 b.log)"
	as_user sh -c 'mkdir -p b/rootfs; tar -C b/rootfs --exclude=./dev -xf b.tar; cd b; runc spec --rootless'
	runs_by_hand b runc crun
	create b2 --from debian:bookworm --variant=extract --include=$packages
	runs_by_hand b2 runc crun
	[ "$(cat b2/rootfs/etc/debian_version)" = "$(cat b/rootfs/etc/debian_version)" ]
}

@test "what mmdebstrap made goes when berth is killed" {
	mkdir -m 777 "$USER_DIR/tmp"
	as_user env TMPDIR="$USER_DIR/tmp" sh -c 'echo $$ >b.pid; exec berth bundle create b --from debian:bookworm' 2>b.log &
	wait_for 20 sh -c 'ls -d "$1"/mmdebstrap.* >/dev/null 2>&1' sh "$USER_DIR/tmp" || skip "host: mmdebstrap does not work here: $(cat b.log)"
	sleep 1
	kill -KILL "$(cat b.pid)"
	wait $! || true
	wait_for 60 sh -c '[ -z "$(ls -A "$1")" ]' sh "$USER_DIR/tmp"
	[ ! -e b ]
	create b --from oci:layout:v1
	[ -z "$(ls -d .b.berth-* 2>/dev/null)" ]
}
