//! What has been asked on a channel and not been answered: by id, and by age.

/// Places at first. There are more when half of them are taken.
const PLACES: usize = 256;
/// As many as there are ids.
pub(crate) const MOST: usize = 1 << 16;

/// A query that has been sent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Asked {
    /// When it was due.
    pub(crate) due: u64,
    /// When it was sent.
    pub(crate) sent: u64,
    /// Its question's number.
    pub(crate) question: u32,
    /// Its random label.
    pub(crate) label: u32,
}

/// What an id's last query has come to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Unused,
    Waiting,
    Answered,
    Lost,
}

/// Where an answer belongs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Found {
    /// To this query, which waited for it.
    Waiting(Asked),
    /// To a query that has been answered before.
    Duplicate,
    /// To a query that was given up.
    Late,
    /// To none.
    Stray,
}

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    asked: Asked,
    id: u16,
    /// The ids asked before and after this one, of those that wait.
    older: u16,
    newer: u16,
    state: State,
}

/// Queries by id. An id is used again only after all others, so that what comes late is known as
/// such; places are by the low bits of the id, so that few outstanding queries take few lines of
/// cache.
#[derive(Debug)]
pub(crate) struct Waiting {
    places: Vec<Place>,
    next: u16,
    oldest: u16,
    newest: u16,
    count: usize,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { places: vec![Place::default(); PLACES], next: 0, oldest: 0, newest: 0, count: 0 }
    }
}

impl Waiting {
    /// How many wait.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Takes a query in and returns its id. The oldest has to be given up first when all ids are
    /// taken: see [`Self::is_full`].
    pub(crate) fn add(&mut self, asked: Asked) -> u16 {
        if self.count * 2 >= self.places.len() && self.places.len() < MOST {
            self.grow();
        }
        while self.place(self.next).state == State::Waiting {
            self.next = self.next.wrapping_add(1);
        }
        let id = self.next;
        let older = self.newest;
        *self.place(id) = Place { asked, id, older, newer: id, state: State::Waiting };
        if self.count == 0 {
            self.oldest = id;
        } else {
            self.place(older).newer = id;
        }
        (self.newest, self.next) = (id, id.wrapping_add(1));
        self.count += 1;
        id
    }

    /// Whether every id waits.
    pub(crate) fn is_full(&self) -> bool {
        self.count == MOST
    }

    /// The query whose answer has this id.
    pub(crate) fn find(&self, id: u16) -> Found {
        let place = &self.places[self.index(id)];
        match place.state {
            _ if place.id != id => Found::Stray,
            State::Unused => Found::Stray,
            State::Answered => Found::Duplicate,
            State::Lost => Found::Late,
            State::Waiting => Found::Waiting(place.asked),
        }
    }

    /// Notes that a query that waits has been answered.
    pub(crate) fn answered(&mut self, id: u16) {
        self.remove(id, State::Answered);
    }

    /// The query that was sent first.
    pub(crate) fn oldest(&self) -> Option<&Asked> {
        let place = &self.places[self.index(self.oldest)];
        (self.count > 0).then_some(&place.asked)
    }

    /// Gives up the query that was sent first.
    pub(crate) fn give_up_oldest(&mut self) {
        if self.count > 0 {
            self.remove(self.oldest, State::Lost);
        }
    }

    fn remove(&mut self, id: u16, state: State) {
        let place = self.place(id);
        place.state = state;
        let (older, newer) = (place.older, place.newer);
        self.count -= 1;
        match (id == self.oldest, id == self.newest) {
            (true, _) => self.oldest = newer,
            (false, true) => self.newest = older,
            (false, false) => {
                self.place(older).newer = newer;
                self.place(newer).older = older;
            }
        }
    }

    fn index(&self, id: u16) -> usize {
        usize::from(id) & (self.places.len() - 1)
    }

    fn place(&mut self, id: u16) -> &mut Place {
        let index = self.index(id);
        &mut self.places[index]
    }

    /// Doubles the places. Two that were apart stay apart.
    fn grow(&mut self) {
        let more = vec![Place::default(); self.places.len() * 2];
        for place in std::mem::replace(&mut self.places, more) {
            if place.state != State::Unused {
                *self.place(place.id) = place;
            }
        }
    }
}
