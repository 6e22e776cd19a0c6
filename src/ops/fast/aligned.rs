//! Memory that begins at a line of the cache: a vector that lies across two is read, and above all written, as two.

use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};

/// Values of a line.
const LINE: usize = 16;

#[repr(C, align(64))]
struct Line([MaybeUninit<f32>; LINE]);

/// `len` places, written or not, in whole lines.
struct Lines {
    lines: Box<[Line]>,
    len: usize,
}

impl Lines {
    fn new(len: usize) -> Self {
        let lines = Box::new_uninit_slice(len.div_ceil(LINE));
        // SAFETY: a line holds places that need not be written.
        let lines = unsafe { lines.assume_init() };
        Self { lines, len }
    }

    fn places(&self) -> &[MaybeUninit<f32>] {
        // SAFETY: lines are places without gaps, and there are `len` of them.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }

    fn places_mut(&mut self) -> &mut [MaybeUninit<f32>] {
        // SAFETY: the same.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

/// Places for values.
pub(in crate::ops) struct Places(Lines);

impl Places {
    pub(in crate::ops) fn new(len: usize) -> Self {
        Self(Lines::new(len))
    }

    /// # Safety
    /// All places are written.
    pub(in crate::ops) unsafe fn assume_init(self) -> Values {
        Values(self.0)
    }
}

impl Deref for Places {
    type Target = [MaybeUninit<f32>];

    fn deref(&self) -> &Self::Target {
        self.0.places()
    }
}

impl DerefMut for Places {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.0.places_mut()
    }
}

/// Values, all written.
pub(in crate::ops) struct Values(Lines);

impl Values {
    pub(in crate::ops) fn zeros(len: usize) -> Self {
        let mut places = Places::new(len);
        places.fill(MaybeUninit::new(0.));
        // SAFETY: they are all written.
        unsafe { places.assume_init() }
    }
}

impl Default for Values {
    fn default() -> Self {
        Self::zeros(0)
    }
}

impl Deref for Values {
    type Target = [f32];

    fn deref(&self) -> &Self::Target {
        // SAFETY: they are all written.
        unsafe { self.0.places().assume_init_ref() }
    }
}

impl DerefMut for Values {
    fn deref_mut(&mut self) -> &mut Self::Target {
        // SAFETY: they are all written.
        unsafe { self.0.places_mut().assume_init_mut() }
    }
}

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_begin_at_a_line_and_are_as_many_as_asked_for() {
        for len in [0, 1, 15, 16, 17, 1000] {
            let mut values = Values::zeros(len);
            assert_eq!((values.len(), values.as_ptr().addr() % 64), (len, 0));
            values
                .iter_mut()
                .enumerate()
                .for_each(|(i, x)| *x = i as f32);
            assert!(values.iter().enumerate().all(|(i, &x)| x == i as f32));
        }
        assert!(Values::default().is_empty());
    }
}
