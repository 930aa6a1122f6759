//! Made profiles of which the cause is known.

use wbd_model::explanation::{Cause, CauseKind};
use wbd_model::profile::{Counted, Frame, Layer, Profile, Stack, Syscall, Thread, Wait, Waker};

use super::{Contained, Reach, Side, causes, difference, pool};

const MS: u64 = 1_000_000;

fn thread(tid: u32, user_ns: u64) -> Thread {
    Thread {
        pid: 1,
        tid,
        merged: 1,
        name: format!("t{tid}"),
        user_ns,
        ..Thread::default()
    }
}

fn wait(syscall: &str, waker: Waker, count: u64, ns: u64) -> Wait {
    Wait {
        syscall: Some(syscall.to_owned()),
        waker,
        count,
        ns,
        ..Wait::default()
    }
}

fn call(name: &str, calls: u64, cpu_ns: u64) -> Syscall {
    Syscall {
        name: name.to_owned(),
        calls,
        cpu_ns,
        ..Syscall::default()
    }
}

fn stack(tid: u32, count: u64, frames: &[(&str, Layer)]) -> Stack {
    let frame = |(function, layer): &(&str, Layer)| Frame {
        function: (*function).to_owned(),
        module: String::new(),
        layer: *layer,
    };
    Stack {
        tid,
        what: Counted::OnCpu,
        count,
        ns: count * MS / 2,
        frames: frames.iter().map(frame).collect(),
    }
}

fn profile(wall_ns: u64, threads: Vec<Thread>, stacks: Vec<Stack>) -> Profile {
    Profile {
        wall_ns,
        threads,
        stacks,
        sample_period_ns: MS / 2,
        ..Profile::default()
    }
}

fn side(profile: &Profile) -> Side<'_> {
    Side {
        profile,
        wall_ns: profile.wall_ns,
        reach: None,
        contained: None,
        is_apart: false,
    }
}

/// A program that computes for 10 ms.
fn short() -> Profile {
    profile(10 * MS, vec![thread(1, 10 * MS)], vec![])
}

fn explained(a: &Profile) -> Vec<Cause> {
    causes(side(a), side(&short())).0
}

#[track_caller]
fn assert_all_is(a: &Profile, kind: CauseKind) {
    let found = explained(a);
    assert_eq!(found[0].kind, kind, "{found:#?}");
    assert!((found[0].share - 1.0).abs() < 0.01, "{found:#?}");
}

/// One that waits as well.
fn waiting(waits: Vec<Wait>, others: Vec<Thread>, stacks: Vec<Stack>) -> Profile {
    let waited: u64 = waits.iter().map(|wait| wait.ns).sum();
    let mut root = thread(1, 10 * MS);
    root.waits = waits;
    profile(10 * MS + waited, [vec![root], others].concat(), stacks)
}

#[test]
fn a_wait_whose_time_was_over_is_sleep_whoever_the_interrupt_struck() {
    for syscall in ["futex", "poll", "epoll_wait"] {
        for waker in [Waker::Kernel, Waker::Other, Waker::Thread(1)] {
            let mut late = wait(syscall, waker, 5, 50 * MS);
            late.timed_out = true;
            assert_all_is(&waiting(vec![late], vec![], vec![]), CauseKind::Sleep);
        }
    }
}

#[test]
fn a_futex_that_another_thread_ends_is_a_lock() {
    let mut other = thread(2, 30 * MS);
    other.waits = vec![wait("futex", Waker::Thread(1), 1000, 40 * MS)];
    let waits = vec![wait("futex", Waker::Thread(2), 1000, 40 * MS)];
    assert_all_is(&waiting(waits, vec![other], vec![]), CauseKind::LockWait);
}

#[test]
fn a_lock_held_for_long_by_both_in_turns_is_a_lock_too() {
    let mut other = thread(2, 30 * MS);
    other.waits = vec![wait("futex", Waker::Thread(1), 4, 40 * MS)];
    let waits = vec![wait("futex", Waker::Thread(2), 4, 40 * MS)];
    assert_all_is(&waiting(waits, vec![other], vec![]), CauseKind::LockWait);
}

#[test]
fn who_waits_for_a_worker_waits_for_what_that_does() {
    let mut sleeper = thread(2, 0);
    sleeper.waits = vec![
        wait("futex", Waker::Thread(1), 1, 2 * MS),
        wait("clock_nanosleep", Waker::Kernel, 2, 40 * MS),
    ];
    let waits = vec![wait("futex", Waker::Thread(2), 2, 40 * MS)];
    assert_all_is(&waiting(waits.clone(), vec![sleeper], vec![]), CauseKind::Sleep);
    assert_all_is(
        &waiting(waits, vec![thread(2, 40 * MS)], vec![]),
        CauseKind::UserCpu,
    );
}

#[test]
fn who_waits_for_a_compiler_waits_for_compiling_however_rarely_it_was_met() {
    let stacks = vec![
        stack(
            3,
            9,
            &[
                ("memmove", Layer::Library),
                ("[module in the making]", Layer::Compiler),
            ],
        ),
        stack(3, 2, &[("rayon_core::sleep", Layer::Engine)]),
    ];
    let waits = vec![wait("futex", Waker::Thread(2), 3, 20 * MS)];
    let found = waiting(waits, vec![thread(2, 8 * MS), thread(3, 9 * MS)], stacks);
    assert_all_is(&found, CauseKind::Compile);
}

#[test]
fn page_faults_of_a_compiler_are_compiling() {
    let fault = [("clear_page", Layer::Kernel), ("exc_page_fault", Layer::Kernel)];
    let compiler = [
        fault[0],
        fault[1],
        ("malloc", Layer::Library),
        ("cranelift", Layer::Compiler),
    ];
    let program = [fault[0], fault[1], ("touch", Layer::Program)];
    let run =
        |frames: &[(&str, Layer)]| profile(50 * MS, vec![thread(1, 50 * MS)], vec![stack(1, 80, frames)]);
    let first = |frames| explained(&run(frames))[0].kind;
    assert_eq!(first(&compiler), CauseKind::Compile);
    assert_eq!(first(&program), CauseKind::PageFaults);
}

#[test]
fn a_disk_is_waited_for_also_by_the_cpu_that_asks_it() {
    let read = [
        ("blk_mq_submit_bio", Layer::Kernel),
        ("page_cache_ra_order", Layer::Kernel),
        ("__x64_sys_read", Layer::Kernel),
        ("do_syscall_64", Layer::Kernel),
    ];
    let copy = [("copy_folio_to_iter", Layer::Kernel), read[2], read[3]];
    let mut root = thread(1, 10 * MS);
    root.syscalls = vec![call("read", 1000, 40 * MS)];
    let run = |looks: [u64; 2]| {
        let stacks = vec![stack(1, looks[0], &read), stack(1, looks[1], &copy)];
        profile(50 * MS, vec![root.clone()], stacks)
    };
    assert_eq!(explained(&run([60, 20]))[0].kind, CauseKind::IoWait);
    assert_eq!(explained(&run([20, 60]))[0].kind, CauseKind::Syscalls);
}

#[test]
fn what_is_read_from_a_disk_is_waiting_for_it_also_while_it_is_copied() {
    let copy = [
        ("copy_folio_to_iter", Layer::Kernel),
        ("ksys_read", Layer::Kernel),
        ("do_syscall_64", Layer::Kernel),
    ];
    let mut root = thread(1, 10 * MS);
    root.syscalls = vec![Syscall {
        bytes: 64 << 20,
        ..call("read", 1000, 40 * MS)
    }];
    let warm = profile(50 * MS, vec![root], vec![stack(1, 80, &copy)]);
    let cold = Profile {
        disk_read_bytes: 64 << 20,
        ..warm.clone()
    };
    assert_eq!(explained(&warm)[0].kind, CauseKind::Syscalls);
    assert_eq!(explained(&cold)[0].kind, CauseKind::IoWait);
}

#[test]
fn the_way_into_the_kernel_is_the_calls_not_the_programs() {
    let write = [("entry_SYSCALL_64", Layer::Kernel), ("write", Layer::Program)];
    let probe = [
        ("bpf_prog_1234_call_enter", Layer::Kernel),
        ("do_syscall_64", Layer::Kernel),
    ];
    let own = [("main", Layer::Program)];
    let mut root = thread(1, 60 * MS);
    root.syscalls = vec![call("write", 200_000, 40 * MS)];
    let stacks = vec![stack(1, 150, &write), stack(1, 100, &probe), stack(1, 30, &own)];
    let found = explained(&profile(100 * MS, vec![root], stacks));
    assert_eq!(found[0].kind, CauseKind::Syscalls, "{found:#?}");
    assert!(found[0].share > 0.8, "{found:#?}");
}

#[test]
fn helpers_that_are_read_from_are_processes_where_they_are_many() {
    let helper = |tid| Thread {
        pid: tid,
        parent: 1,
        died_ns: MS,
        ..thread(tid, MS / 2)
    };
    let helpers: Vec<Thread> = (2..40).map(helper).collect();
    let waits = (2..40)
        .map(|tid| wait("read", Waker::Thread(tid), 1, MS))
        .collect();
    assert_all_is(&waiting(waits, helpers, vec![]), CauseKind::Processes);
}

#[test]
fn what_short_lived_helpers_make_is_processes_too() {
    let of = |tid, parent| Thread {
        pid: tid,
        parent,
        died_ns: MS,
        ..thread(tid, MS / 2)
    };
    let shells = (100..140).map(|tid| of(tid, 1));
    let filters = (100..140).map(|shell| of(shell + 100, shell));
    let waits = (200..240)
        .map(|tid| wait("read", Waker::Thread(tid), 1, MS))
        .collect();
    let helpers = shells.chain(filters).collect();
    assert_all_is(&waiting(waits, helpers, vec![]), CauseKind::Processes);
}

#[test]
fn a_pipe_that_is_full_is_waiting_for_its_reader() {
    let reader = Thread {
        pid: 2,
        parent: 1,
        died_ns: 90 * MS,
        ..thread(2, MS)
    };
    let waits = vec![wait("write", Waker::Thread(2), 8, 80 * MS)];
    assert_all_is(&waiting(waits, vec![reader], vec![]), CauseKind::IoWait);
}

#[test]
fn yielding_in_turns_is_a_lock() {
    let waits = vec![wait("sched_yield", Waker::Thread(2), 9, 30 * MS)];
    assert_all_is(
        &waiting(waits, vec![thread(2, 30 * MS)], vec![]),
        CauseKind::LockWait,
    );
}

/// Others take half of every CPU from both: that doubles everything, and is no cause.
#[test]
fn what_disturbs_both_alike_is_no_cause() {
    let disturbed = |ns| {
        let mut root = thread(1, ns);
        root.runnable_others_ns = ns;
        profile(2 * ns, vec![root], vec![])
    };
    let (found, unattributed) = causes(side(&disturbed(90 * MS)), side(&disturbed(30 * MS)));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].kind, CauseKind::UserCpu);
    assert!(unattributed.abs() < 0.01);
}

#[test]
fn what_disturbs_one_alone_is_interference() {
    let mut root = thread(1, 10 * MS);
    root.runnable_others_ns = 40 * MS;
    let disturbed = profile(50 * MS, vec![root], vec![]);
    let on_another_cpu = Side {
        is_apart: true,
        ..side(&disturbed)
    };
    let quiet = short();
    let (found, _) = causes(on_another_cpu, side(&quiet));
    assert_eq!(found[0].kind, CauseKind::Interference, "{found:#?}");
    assert!(found[0].share > 0.9, "{found:#?}");
    let (found, unattributed) = causes(side(&disturbed), side(&quiet));
    assert!(
        found.is_empty() && (unattributed - 1.0).abs() < 0.01,
        "{found:#?}"
    );
}

#[test]
fn code_that_touches_far_more_memory_in_a_moment_waits_for_it() {
    let slow = profile(90 * MS, vec![thread(1, 90 * MS)], vec![]);
    let quick = short();
    let kind = |far: u64, near: u64| {
        let reach = |bytes| Reach {
            bytes,
            cpu_ns: MS,
            cache_bytes: 1 << 20,
        };
        let with = |profile, bytes| Side {
            reach: Some(reach(bytes)),
            ..side(profile)
        };
        let (a, b) = (with(&slow, far), with(&quick, near));
        let forth = causes(a, b).0[0].kind;
        assert_eq!(causes(b, a).0[0].kind, forth);
        forth
    };
    assert_eq!(kind(40 << 20, 1 << 16), CauseKind::MemoryBandwidth);
    assert_eq!(kind(40 << 20, 30 << 20), CauseKind::UserCpu);
    assert_eq!(kind(1 << 19, 1 << 13), CauseKind::UserCpu);
}

#[test]
fn beside_a_run_too_short_to_look_at_only_very_much_memory_counts() {
    let (slow, quick) = (profile(90 * MS, vec![thread(1, 90 * MS)], vec![]), short());
    let kind = |bytes| {
        let reach = Reach {
            bytes,
            cpu_ns: MS,
            cache_bytes: 1 << 20,
        };
        let far = Side {
            reach: Some(reach),
            ..side(&slow)
        };
        causes(far, side(&quick)).0[0].kind
    };
    assert_eq!(kind(12 << 20), CauseKind::MemoryBandwidth);
    assert_eq!(kind(2 << 20), CauseKind::UserCpu);
}

#[test]
fn few_runs_differ_only_where_they_lie_apart() {
    assert!(difference(&[100, 110, 120], &[105, 90, 80]).is_none());
    assert!(difference(&[110, 115, 120], &[105, 90, 80]).is_some());
    assert!(difference(&[80, 90, 70], &[110, 115, 120]).is_some_and(|found| found.ns < 0));
}

#[test]
fn runs_are_pooled_thread_by_thread() {
    let of = |wall, tids: [u32; 2], looks| {
        let mut threads = tids.map(|tid| thread(tid, MS)).to_vec();
        threads[1].name = "worker".to_owned();
        let stacks = tids.map(|tid| stack(tid, looks, &[("f", Layer::Program)]));
        profile(wall, threads, stacks.to_vec())
    };
    let pooled = pool(vec![of(3 * MS, [1, 2], 1), of(2 * MS, [11, 12], 2)]).expect("two");
    assert_eq!((pooled.wall_ns, pooled.runs_looked_at), (2 * MS, 2));
    let looks: Vec<_> = pooled
        .stacks
        .iter()
        .map(|stack| (stack.tid, stack.count, stack.ns))
        .collect();
    assert_eq!(looks, [(11, 3, 3 * MS / 4), (12, 3, 3 * MS / 4)]);
}

#[test]
fn a_containers_way_to_its_program_is_making_processes() {
    let contained = Contained {
        launch: vec![
            ("launch to created".to_owned(), 6 * MS),
            ("cgroup_made to exec".to_owned(), 150 * MS),
        ],
        execution_ns: 11 * MS,
    };
    let (outside, nothing) = (short(), Profile::default());
    let inside = Side {
        wall_ns: 167 * MS,
        contained: Some(&contained),
        ..side(&nothing)
    };
    let (found, unattributed) = causes(inside, side(&outside));
    assert_eq!(found[0].kind, CauseKind::Processes, "{found:#?}");
    assert!(found[0].share > 0.98 && unattributed.abs() < 0.01, "{found:#?}");
    assert!(found[0].text.contains("cgroup_made to exec"), "{}", found[0].text);
}

#[test]
fn who_holds_a_lock_is_waited_for_as_its_holder_whatever_he_does_meanwhile() {
    let waits = vec![wait("futex", Waker::Thread(2), 10, 30 * MS)];
    let root = Thread {
        waits,
        ..thread(1, 10 * MS)
    };
    let threads = vec![root, thread(2, 30 * MS)];
    let asleep = |function| Stack {
        what: Counted::OffCpu,
        ns: 30 * MS,
        ..stack(
            1,
            10,
            &[("futex_do_wait", Layer::Kernel), (function, Layer::Library)],
        )
    };
    let first = |function| {
        let a = profile(40 * MS, threads.clone(), vec![asleep(function)]);
        explained(&a)[0].kind
    };
    assert_eq!(first("__lll_lock_wait"), CauseKind::LockWait);
    assert_eq!(first("pthread_cond_wait"), CauseKind::UserCpu);
}

#[test]
fn a_lock_on_a_file_is_waited_for_as_one_though_another_process_holds_it() {
    let other = Thread {
        pid: 2,
        ..thread(2, 30 * MS)
    };
    let root = Thread {
        waits: vec![wait("flock", Waker::Thread(2), 10, 30 * MS)],
        ..thread(1, 10 * MS)
    };
    let first = &explained(&profile(40 * MS, vec![root, other], vec![]))[0];
    assert_eq!(first.kind, CauseKind::LockWait);
    assert!(first.text.contains("flock"), "{}", first.text);
}
