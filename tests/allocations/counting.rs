//! An allocator that counts, for each thread, how often it is called.
#![expect(unsafe_code, reason = "an allocator is")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering::Relaxed};

#[global_allocator]
static COUNTING: Counting = Counting;

struct Counting;

// SAFETY: all is left to the system's allocator; what is done beside it neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on, here and below.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

/// The calls of one thread, by its number in the system.
struct Page {
    thread: AtomicI32,
    calls: AtomicU64,
}

/// More than the threads that these tests ever start.
const PAGES: usize = 1024;

static LEDGER: [Page; PAGES] =
    [const { Page { thread: AtomicI32::new(0), calls: AtomicU64::new(0) } }; PAGES];
static TAKEN: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Without a destructor, so that it needs no memory and outlives all that is freed.
    static PAGE: Cell<Option<&'static Page>> = const { Cell::new(None) };
}

fn count() {
    page().calls.fetch_add(1, Relaxed);
}

/// The page of this thread.
fn page() -> &'static Page {
    PAGE.with(|own| match own.get() {
        Some(page) => page,
        None => {
            // Beyond the last all share one, which then counts too much, never too little.
            let page = &LEDGER[TAKEN.fetch_add(1, Relaxed).min(PAGES - 1)];
            page.thread.store(this_thread(), Relaxed);
            own.set(Some(page));
            page
        }
    })
}

fn this_thread() -> i32 {
    // SAFETY: it takes nothing and always succeeds.
    unsafe { libc::gettid() }
}

/// How often this thread has allocated or freed so far.
pub(crate) fn calls() -> u64 {
    page().calls.load(Relaxed)
}

/// The same of another thread, by its number in the system.
pub(crate) fn calls_of(thread: i32) -> u64 {
    // The last page that has the number, for numbers are given again.
    let pages = LEDGER.iter().rev();
    let page = pages.into_iter().find(|page| page.thread.load(Relaxed) == thread);
    page.expect("a thread that has allocated").calls.load(Relaxed)
}

#[test]
fn what_is_allocated_and_freed_is_counted_for_its_thread() {
    let before = calls();
    let made = vec![1_u8; 100];
    assert_eq!(calls() - before, 1);
    drop(made);
    assert_eq!(calls() - before, 2);
    let (thread, theirs) = std::thread::spawn(|| {
        let before = calls();
        let grown: Vec<u32> = (0..100).filter(|number| number % 2 == 0).collect();
        assert_eq!(grown.len(), 50);
        (this_thread(), calls() - before)
    })
    .join()
    .expect("it does not panic");
    assert!(theirs > 1, "{theirs}");
    assert!(calls_of(thread) >= theirs);
}
