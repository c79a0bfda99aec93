//! Where the parts meet: files become an [`crate::routing::Assembly`], sockets and channels are
//! opened and handed out, signals are obeyed.

mod access;
mod asked;
mod background;
mod bind;
mod checks;
mod clients;
mod credentials;
mod demo;
mod demo_regions;
mod endpoints;
pub mod explain;
mod files;
pub mod foresee;
mod given;
mod load;
mod manager;
mod memory;
mod notify;
mod overview;
mod query_log;
mod refresh;
mod reload;
pub mod replay;
pub mod resolve;
mod secrets;
mod serve;
mod threads;
mod transfers;
mod user;
mod watch;
mod watchdog;
pub mod webhooks;

pub use bind::BindError;
pub use clients::{Clients, networks};
pub use demo::Demo;
pub use given::{Given, GivenError};
pub use load::{Columns, Loaded, Serials, load};
pub use manager::Manager;
pub use notify::Notify;
pub use overview::Overview;
pub use serve::{Server, StartError};
pub use threads::Threads;
pub use user::UserError;
