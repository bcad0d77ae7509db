//! Many small questions on all cores, with a deadline that holds even where one of them is never answered.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Threads at most.
const MOST: usize = 8;

/// Threads that are worth having here. `available_parallelism(3)` reads the cgroup's files, so it is asked once.
pub(super) fn size() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    *SIZE.get_or_init(|| std::thread::available_parallelism().map_or(1, NonZero::get).min(MOST))
}

/// Starts `work` on some threads, which are left behind when they hang; on this one where no thread can be had.
pub(super) fn start(work: impl Fn() + Send + Sync + 'static) {
    let work = Arc::new(work);
    let started = (0..size()).filter(|_| {
        let work = Arc::clone(&work);
        std::thread::Builder::new().name("probe".into()).spawn(move || work()).is_ok()
    });
    if started.count() == 0 {
        work();
    }
}

/// The answers for all items, in no order, until the deadline; the second is whether none is missing.
pub(super) fn over<T, R>(items: Vec<T>, deadline: Instant, each: fn(&T) -> R) -> (Vec<R>, bool)
where
    T: Send + Sync + 'static,
    R: Send + 'static,
{
    let (sender, receiver) = mpsc::channel();
    let wanted = items.len();
    let next = AtomicUsize::new(0);
    start(move || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            if Instant::now() >= deadline || sender.send(each(item)).is_err() {
                return;
            }
        }
    });
    let mut answers = Vec::with_capacity(wanted);
    while answers.len() < wanted {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match receiver.recv_timeout(left) {
            Ok(answer) => answers.push(answer),
            Err(_) => break,
        }
    }
    let is_whole = answers.len() == wanted;
    (answers, is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_answered_once() {
        let deadline = Instant::now() + Duration::from_secs(5);
        let (mut answers, is_whole) = over((0..1000).collect(), deadline, |item: &i32| item * 2);
        answers.sort_unstable();
        assert_eq!((true, (0..1000).map(|item| item * 2).collect()), (is_whole, answers));
    }

    #[test]
    fn one_that_hangs_does_not_hold_up_the_deadline() {
        let begun = Instant::now();
        let hang = |item: &u64| std::thread::sleep(Duration::from_secs(*item));
        let (_, is_whole) = over(vec![0, 3, 0, 3, 3], begun + Duration::from_millis(100), hang);
        assert!(!is_whole && begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
}
