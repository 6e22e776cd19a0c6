use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use candle_core::{DType, Device, Tensor, WithDType};

use crate::Result;
use crate::data::Samples;

/// A thread that reads the next window while one is trained on.
pub(super) struct ReadAhead(Reader);

enum Reader {
    Thread(Thread),
    /// Who asks reads.
    Here {
        samples: Samples,
        windows: std::vec::IntoIter<Vec<Range<u32>>>,
    },
}

struct Thread {
    /// `None` once it is to end.
    windows: Option<Receiver<Result<Tensor>>>,
    thread: Option<JoinHandle<()>>,
}

impl ReadAhead {
    /// Of samples, these ranges of which make a window each.
    pub(super) fn start(samples: Samples, windows: Vec<Vec<Range<u32>>>) -> Self {
        // A thread of a pool that waits for a thread of ours, which waits for the pool, would wait for ever.
        if rayon::current_thread_index().is_some() {
            let windows = windows.into_iter();
            return Self(Reader::Here { samples, windows });
        }
        // Without room: the thread holds one window, and who asks another.
        let (sender, receiver) = sync_channel(0);
        let thread = std::thread::spawn(move || read(&samples, &windows, &sender));
        Self(Reader::Thread(Thread {
            windows: Some(receiver),
            thread: Some(thread),
        }))
    }

    /// The next window, `[n, ...]`; `None` behind the last.
    ///
    /// # Errors
    /// As the samples are read.
    pub(super) fn next(&mut self) -> Result<Option<Tensor>> {
        match &mut self.0 {
            Reader::Thread(thread) => thread.next().transpose(),
            Reader::Here { samples, windows } => {
                let ranges = windows.next();
                ranges.map(|ranges| window(samples, &ranges)).transpose()
            }
        }
    }
}

impl Thread {
    fn next(&mut self) -> Option<Result<Tensor>> {
        let received = self.windows.as_ref().and_then(|all| all.recv().ok());
        if received.is_none()
            && let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
        {
            resume_unwind(panic);
        }
        received
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // It ends when nobody asks.
        self.windows = None;
        if let Some(thread) = self.thread.take() {
            // Who is dropped has no use for its panic.
            let _ = thread.join();
        }
    }
}

fn read(samples: &Samples, windows: &[Vec<Range<u32>>], sender: &SyncSender<Result<Tensor>>) {
    for ranges in windows {
        let window = window(samples, ranges);
        let failed = window.is_err();
        if sender.send(window).is_err() || failed {
            return;
        }
    }
}

fn window(samples: &Samples, ranges: &[Range<u32>]) -> Result<Tensor> {
    match samples.dtype() {
        DType::F32 => filled::<f32>(samples, ranges),
        DType::F64 => filled::<f64>(samples, ranges),
        _ => {
            let parts = ranges.iter().map(|range| part(samples, range));
            Ok(Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)?)
        }
    }
}

/// A chunk at a time, so that beside the window no other copy of all is made.
fn filled<T: WithDType>(samples: &Samples, ranges: &[Range<u32>]) -> Result<Tensor> {
    let shape = samples.sample_shape();
    let (n, volume) = (
        ranges.iter().map(Range::len).sum::<usize>(),
        shape.iter().product::<usize>(),
    );
    let mut values: Vec<T> = Vec::with_capacity(n * volume);
    for range in ranges {
        values.extend(part(samples, range)?.flatten_all()?.to_vec1::<T>()?);
    }
    Ok(Tensor::from_vec(
        values,
        [vec![n], shape].concat(),
        &Device::Cpu,
    )?)
}

fn part(samples: &Samples, range: &Range<u32>) -> Result<Tensor> {
    samples.range(range.start as usize, range.len())
}
