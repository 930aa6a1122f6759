#!/bin/sh
# The first program of a guest: mounts what a system mounts, runs the tests it finds in a list, or a script beside a daemon,
# and ends the machine. Where there is a service manager, that is the first and mounts, and this is one of its services.
# Every line for the host begins with `wbd-vm:`; the rest is what the tests print.
if [ $$ = 1 ]; then
    [ -e /usr/lib/systemd/systemd ] && exec /usr/lib/systemd/systemd
    mount -t devtmpfs none /dev
    exec </dev/null >/dev/console 2>&1
    mkdir -p /dev/pts /dev/shm
    mount -t devpts none /dev/pts
    mount -t tmpfs none /dev/shm
    mount -t proc none /proc
    mount -t sysfs none /sys
    mount -t tmpfs none /run
    mount -t cgroup2 none /sys/fs/cgroup
    # Before the root's controllers are handed down once, perf does not find child cgroups.
    echo +memory +cpu +pids >/sys/fs/cgroup/cgroup.subtree_control
fi

export PATH=/wbd/dist/bin:/usr/sbin:/usr/bin HOME=/root RUST_BACKTRACE=0
export WBD_DIST=/wbd/dist
# What takes a second elsewhere takes half a minute where every instruction is emulated.
export WBD_TEST_BUDGET=600
# The firmware left the cursor in a line of its own making.
echo
echo "wbd-vm: kernel $(uname -r) $(uname -m)"
cd /wbd
while read -r file arguments; do
    echo "wbd-vm: begin $file"
    eval "/wbd/tests/$file --test-threads=1 $arguments"
    echo "wbd-vm: end $file $?"
done </wbd/list
if [ -e script ]; then
    wbd &
    until [ -S /run/wbd/wbd.sock ]; do sleep 0.1; done
    sh -e script
    echo "wbd-vm: end script $?"
fi
echo "wbd-vm: over"
sync
# QEMU ends where its machine would start anew; one that has slept once can no longer be turned off.
echo b >/proc/sysrq-trigger
while :; do sleep 1; done
