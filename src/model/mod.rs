//! The vocabulary of the project: every type here is valid by construction and does no I/O.

mod agent_probe;
mod alias;
mod at_once;
mod calm;
mod check;
mod client;
mod digest;
mod embedded;
mod forbidden;
mod forcing;
mod foresight;
mod grpc_probe;
mod http_probe;
mod id;
mod plan;
mod policy;
mod pool;
mod record;
mod tls_probe;
mod weight;
mod worst_case;

pub use agent_probe::AgentProbe;
pub use alias::{Endpoint, Looked, Resolved};
pub use at_once::probes_at_once;
pub use calm::{Calm, Damping, Failback, Judging, Ramp, Safety, Shed};
pub use check::{
    Asks, Calculated, Check, Comparison, DEGRADED_FACTOR, Destination, DnsProbe, ExecProbe,
    FAST_BUDGET, FailWhen, IcmpProbe, Probe, PrometheusProbe, PushProbe, Role, Target, Timing,
    WARN_BEFORE, probed, subject,
};
pub use client::Attributes;
pub use digest::{Digest, mix};
pub use embedded::{canonical, embedded};
pub use forbidden::forbidden;
pub use forcing::{Force, Forced, Forcing, Moment, Move, Override, STEPS, Shifted};
pub use foresight::{Accepted, Foresight, Risk};
pub use grpc_probe::GrpcProbe;
pub use http_probe::{HttpProbe, Pattern, StatusRange};
pub use id::{BindingId, CheckId, PoolId, RecordId, RegionId, Slot, TargetId, TreeId};
pub use plan::{
    AbortWhen, Counted, Drill, Ended, Findings, How, NamedWindow, Phase, Plan, Planning, Querying,
    Shift, Task, Window,
};
pub use policy::{
    GeoKeys, GeoRule, Member, MissingFamily, Node, NodeId, OnAllDown, PolicyNode, Tree,
};
pub use pool::{MinHealthy, Pool, Region};
pub use record::{Binding, Record};
pub use tls_probe::{ClientCertificate, Credentials, Pem, TlsProbe, TlsVerify};
pub use weight::Weight;
pub use worst_case::worst_case;

pub use crate::atlas::{Continent, Country, Location, Subdivision};
pub use crate::wire::Family;
