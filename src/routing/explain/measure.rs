//! What of the client decided: the rules that matched, and the figures that were compared.

use crate::model::{GeoKeys, Location, Node, NodeId, RegionId};
use crate::routing::places::{FigureSource, Figures};

use super::explanation::{Compared, ComparedBy, Figure, Keys, Kind};
use super::path::Path;

impl Path<'_> {
    /// The chain of a geolocation: the rules that match, most specific first, then the default.
    pub(super) fn links(&self, id: NodeId, default: Option<NodeId>) -> Vec<(Kind, Option<NodeId>)> {
        let Node::Geolocation { rules, .. } = self.tree.node(id) else { return Vec::new() };
        // Of rules that lead to the same the class tells only the first.
        let chains = self.classified.map_or(&self.class.chains, |classified| &classified.matched);
        let chain = chains.iter().find(|(node, _)| *node == id);
        let matching = chain.map_or(&[][..], |(_, chain)| chain);
        let mut links: Vec<_> = (matching.iter())
            .filter_map(|&rule| rules.get(rule))
            .map(|rule| (Kind::Rule(keys(&rule.keys)), Some(rule.to)))
            .collect();
        // Nothing by default is only for those whom no rule names.
        if default.is_some() || links.is_empty() {
            links.push((Kind::Default, default));
        }
        links
    }

    /// The figures of a node, unless they differ within the client's prefix.
    pub(super) fn figures(&self, id: NodeId) -> Option<&Figures> {
        let figures = &self.classified?.figures;
        figures.iter().find(|(node, _)| *node == id).map(|(_, figures)| figures)
    }

    /// What a latency or geoproximity node compared.
    pub(super) fn compared(&self, id: NodeId, by_figures: bool) -> Option<Compared> {
        let tolerance = match self.tree.node(id) {
            Node::Latency { tolerance, .. } => tolerance.as_secs_f64() * 1000.0,
            Node::Geoproximity { tolerance_km, .. } => *tolerance_km,
            _ => return None,
        };
        let of_class = self.class.bands.iter().any(|(node, _)| *node == id);
        let mut compared =
            Compared { by: ComparedBy::Weight, from: None, of_country: false, tolerance };
        match (by_figures, self.figures(id).map(|figures| &figures.source)) {
            (false, _) => {}
            (true, Some(FigureSource::Table(_))) => compared.by = ComparedBy::Table,
            (true, Some(FigureSource::Distance { from, of_country })) => {
                compared.by = ComparedBy::Distance;
                compared.from = Some((from.latitude, from.longitude));
                compared.of_country = *of_country;
            }
            // What does not come from the class comes from this nameserver.
            (true, _) if !of_class => compared.by = ComparedBy::Probes,
            (true, _) => compared.by = ComparedBy::Mixed,
        }
        Some(compared)
    }

    /// How far the client is from a member of a node.
    pub(super) fn figure(&self, id: NodeId, member: NodeId) -> Option<Figure> {
        let figures = self.figures(id)?;
        match self.tree.node(id) {
            Node::Latency { members, .. } => {
                let at = members.iter().position(|m| m.node == member)?;
                let own =
                    || Some(self.rtts.get(self.answering(member)?.index())?.as_ref()?.as_nanos());
                let nanos = figures.of.get(at).copied().or_else(|| own().map(|nanos| nanos as f64));
                let rtt_ms = Some(nanos? / 1e6);
                let km = self.distance(figures, member);
                let row = match &figures.source {
                    FigureSource::Table(rows) => rows.get(at).map(ToString::to_string),
                    FigureSource::Distance { .. } | FigureSource::None => None,
                };
                Some(Figure { rtt_ms, row, km, ..Figure::default() })
            }
            Node::Geoproximity { members, .. } => {
                let at = members.iter().position(|(m, _)| m.node == member)?;
                let bias = members.get(at).map(|(_, bias)| *bias);
                let biased_km = figures.of.get(at).map(|metres| metres / 1e3);
                let km = self.distance(figures, member);
                Some(Figure { km, bias, biased_km, ..Figure::default() })
            }
            _ => None,
        }
    }

    fn region_of(&self, member: NodeId) -> Option<RegionId> {
        let Node::Region(slot) = self.tree.node(member) else { return None };
        self.tree.slots.get(slot.index()).copied()
    }

    /// The region that answers there.
    fn answering(&self, member: NodeId) -> Option<RegionId> {
        let Node::Region(place) = self.tree.node(member) else { return None };
        self.tree.slots.get(self.stands.at(*place).index()).copied()
    }

    /// The great-circle distance to a region in km, where distances were compared.
    fn distance(&self, figures: &Figures, member: NodeId) -> Option<f64> {
        let FigureSource::Distance { from, .. } = figures.source else { return None };
        let region = self.regions.get(self.region_of(member)?.index())?;
        region.location.map(|to: Location| from.distance_km(to))
    }
}

fn keys(keys: &GeoKeys) -> Keys {
    fn texts<T: ToString>(values: &[T]) -> Vec<String> {
        values.iter().map(ToString::to_string).collect()
    }
    Keys {
        prefix: texts(&keys.prefix),
        asn: keys.asn.clone(),
        subdivision: texts(&keys.subdivision),
        country: texts(&keys.country),
        continent: texts(&keys.continent),
    }
}
