//! Where the parts meet: files become an [`crate::routing::Assembly`], sockets and channels are
//! opened and handed out, signals are obeyed.

mod access;
mod asked;
mod background;
mod bind;
mod clients;
mod demo;
mod demo_regions;
pub mod explain;
mod files;
mod load;
mod memory;
mod refresh;
mod reload;
pub mod resolve;
mod secrets;
mod serve;
mod threads;
mod transfers;
mod user;
mod watch;

pub use bind::BindError;
pub use clients::{Clients, networks};
pub use demo::Demo;
pub use load::{Columns, Loaded, Serials, load};
pub use serve::{Server, StartError};
pub use threads::Threads;
pub use user::UserError;
