//! How long answers took: a histogram whose buckets are less than 1 % wide.

/// Buckets for each power of two, as a power of two.
const PRECISION: u32 = 7;
const STEPS: usize = 1 << PRECISION;

/// Counts of values, by ranges of up to 1/128 of the value. Below 256 each value has its own.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    pub(crate) buckets: Vec<u64>,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        let buckets = vec![0; (u64::BITS - PRECISION + 1) as usize * STEPS];
        Self { buckets, count: 0, sum: 0, min: u64::MAX, max: 0 }
    }
}

impl Histogram {
    /// Counts a value.
    pub(crate) fn add(&mut self, value: u64) {
        self.buckets[bucket(value)] += 1;
        self.count += 1;
        self.sum += u128::from(value);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// The mean, exactly; 0 of nothing.
    pub(crate) fn mean(&self) -> f64 {
        self.sum as f64 / self.count.max(1) as f64
    }

    /// The least value, exactly.
    pub(crate) fn min(&self) -> u64 {
        if self.count == 0 { 0 } else { self.min }
    }

    /// The greatest value, exactly.
    pub(crate) fn max(&self) -> u64 {
        self.max
    }

    /// The value that this part of all does not exceed; within 0.4 % (the middle of its bucket).
    pub(crate) fn quantile(&self, part: f64) -> u64 {
        let wanted = ((part * self.count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return middle(index).clamp(self.min(), self.max);
            }
        }
        self.max
    }
}

/// Where a value is counted: its highest bits, below how far they are shifted.
pub(crate) fn bucket(value: u64) -> usize {
    let shift = (u64::BITS - PRECISION - 1).saturating_sub(value.leading_zeros());
    shift as usize * STEPS + (value >> shift) as usize
}

/// The middle of the values that a bucket counts.
pub(crate) fn middle(index: usize) -> u64 {
    let shift = (index / STEPS).saturating_sub(1);
    let least = ((index - shift * STEPS) as u64) << shift;
    least + ((1 << shift) - 1) / 2
}
