//! A filter of system calls (seccomp): any but those of a batch, and those of a client that asks for
//! one, ends the process with SIGSYS.
#![expect(unsafe_code, reason = "the system has no safe way to ask for a filter")]

use std::mem::offset_of;

/// The worker's two, the client's two, and the end; and the clock, which is a system call only where
/// the system has no clock that can be read without one (vdso(7)).
const ALLOWED: [libc::c_long; 6] = [
    libc::SYS_recvmmsg,
    libc::SYS_sendmmsg,
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    libc::SYS_exit_group,
    libc::SYS_clock_gettime,
];

/// Puts all threads under the filter, for ever.
pub(crate) fn install() {
    let step = |code: u32, yes: u8, no: u8, value: u32| libc::sock_filter {
        code: code as u16,
        jt: yes,
        jf: no,
        k: value,
    };
    let number = offset_of!(libc::seccomp_data, nr) as u32;
    let mut steps = vec![step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, number)];
    for (at, call) in ALLOWED.iter().enumerate() {
        // To the last step, over those that are left and the one that ends the process.
        let over = (ALLOWED.len() - at) as u8;
        steps.push(step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, over, 0, *call as u32));
    }
    steps.push(step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_KILL_PROCESS));
    steps.push(step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW));
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: plain numbers.
    let quiet = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(quiet, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: the program lives until the call is over, and its length is that of its steps.
    let done = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_TSYNC,
            &raw const program,
        )
    };
    if done != 0 {
        panic!("no filter, so nothing is tested: {}", std::io::Error::last_os_error());
    }
    // To free them may be forbidden already.
    std::mem::forget(steps);
}

/// Ends the process at once: what Rust does at its end is not allowed.
pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: it takes a number, and does not return.
    unsafe { libc::_exit(code) }
}
