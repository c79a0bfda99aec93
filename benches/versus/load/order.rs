//! Which question is next.

use std::str::FromStr;

/// How questions follow each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Order {
    /// As in the file, over and over.
    Sequence,
    /// All alike often, drawn.
    Random,
    /// The k-th of the file in proportion to k to the power of minus this, drawn.
    Zipf(f64),
}

impl FromStr for Order {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let exponent = text.strip_prefix("zipf:").map(f64::from_str);
        match (text, exponent) {
            ("sequence", _) => Ok(Self::Sequence),
            ("random", _) => Ok(Self::Random),
            (_, Some(Ok(s))) if (0.0..=10.0).contains(&s) => Ok(Self::Zipf(s)),
            _ => Err("expected sequence, random, or zipf:S with S from 0 to 10".into()),
        }
    }
}

/// Tells the next question's number.
#[derive(Debug)]
pub(crate) enum Chooser {
    /// How many there are, and which is next.
    Sequence(u32, u32),
    /// How many there are.
    Random(u32),
    /// Their weights.
    Weighted(Alias),
}

impl Chooser {
    /// For so many questions; there is one at least.
    pub(crate) fn new(order: Order, questions: u32) -> Self {
        match order {
            Order::Sequence => Self::Sequence(questions, 0),
            Order::Random => Self::Random(questions),
            Order::Zipf(s) => {
                let weights = (1..=questions).map(|k| f64::from(k).powf(-s));
                Self::Weighted(Alias::new(&weights.collect::<Vec<_>>()))
            }
        }
    }

    /// The next one.
    pub(crate) fn next(&mut self, rng: &mut fastrand::Rng) -> u32 {
        match self {
            Self::Sequence(questions, next) => {
                let this = *next;
                *next = (this + 1) % *questions;
                this
            }
            Self::Random(questions) => rng.u32(..*questions),
            Self::Weighted(alias) => alias.draw(rng),
        }
    }
}

/// Draws by weight in one step (Vose's form of Walker's alias method): each place keeps a part of
/// itself, and gives the rest to one other.
#[derive(Debug)]
pub(crate) struct Alias {
    /// The part kept, of 2³², and who has the rest.
    pub(crate) places: Vec<(u64, u32)>,
}

impl Alias {
    pub(crate) fn new(weights: &[f64]) -> Self {
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        let mut parts: Vec<f64> = weights.iter().map(|weight| weight / mean).collect();
        let mut places: Vec<_> = (0..weights.len() as u32).map(|own| (1 << 32, own)).collect();
        let (mut poor, mut rich): (Vec<usize>, Vec<usize>) =
            (0..weights.len()).partition(|place| parts[*place] < 1.0);
        while let (Some(from), Some(to)) = (poor.pop(), rich.last().copied()) {
            places[from] = ((parts[from] * (1_u64 << 32) as f64) as u64, to as u32);
            parts[to] -= 1.0 - parts[from];
            if parts[to] < 1.0 {
                rich.pop();
                poor.push(to);
            }
        }
        Self { places }
    }

    fn draw(&self, rng: &mut fastrand::Rng) -> u32 {
        let number = rng.u32(..self.places.len() as u32);
        let (kept, other) = self.places[number as usize];
        if u64::from(rng.u32(..)) < kept { number } else { other }
    }
}
