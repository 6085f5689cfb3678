"""Every table of a study, computed once and written as CSV or parquet; figures and pages only draw from them.

items/         items.parquet           title, concepts (names) and popularity of every known item
users/         users.parquet           histories of the test users and of those held out of the SAE part
comparison/    dictionaries.csv        every dictionary, on held-out users of the SAE part and on test users
               l1.csv, sizes.csv       the L1 and the size grid, over seeds (paper Table 1, Figure 3)
               trade_off.csv           all trainers: alignment and ranking against sparsity
               sites.csv               the same dictionary at other places of the recommender
alignment/     dictionary.csv          the chosen dictionary on the test part: reconstruction, mean correlations
               concepts.csv            per concept: top feature and top neuron (Tables 2, 4 and 5, Figures 4 and 12)
               attributes.csv          the same for other attributes as well (Tables 3 and 6, Figure 18)
               alignment.parquet       feature, concept, correlation, auc, sensitivity (Figures 2, 11 and 15)
               neurons.parquet         the same for the neurons of the site
               features.parquet        per feature: density, mean, p99, max, std, best concept with its scores
               histograms.parquet      positive activations by presence of the best concept (Figure 5)
               histories.parquet       strongest, middle and weak histories around their peak
neighbours/    map.parquet             a place for each feature's direction on a plane
               neighbours.parquet      features that are on together with each, and that write alike
cases/         cases.csv               features for franchises, languages, decades, … found by search (Figure 6)
               case_histories.parquet  strongest histories of these
labels/        labels.parquet          a label for each feature, with its scores on unseen users
               label_kinds.csv         how many features could be labelled, by kind
               label_items.parquet     items that speak for a label, and against it
effects/       recommender.csv         ranking metrics on the test part, also with the site reconstructed
               effects.parquet         items whose scores rise and fall, through the layers and on the direct path
steering/      steering.csv            features and probe directions at each value (Figures 9, 10, 14 and 17)
               shares.csv              the same: share of every concept
               probes.csv              how well supervised probes tell concepts apart (section 8.2.3)
trade_offs/    profiles.csv            how much more active features are with a concept than without it
               baselines.csv           the same sweep by other means: profile, mean difference, neuron, random, boost
               equal_share.csv         NDCG@10 of all methods at equal share of the concept
doses/         doses.csv               least costly steers that reach a share: for all users, and for each of them
lists/         lists.parquet           two users' lists before and after (Figure 7)
causal/        causal.parquet          what turning every feature up and down does to every concept's share
               moved_items.parquet     items that enter and leave the lists most by that
               causal_agreement.csv    whether that follows from its correlations, and by chance
               causal_concepts.csv     the same, concept by concept
popularity/    popularity_features.csv how far each feature tells popular from unpopular items
               popularity.csv          what steers to the long tail change, by strength
explanations/  explanations.parquet    attributions of users' first items beside ablations
               explanation_agreement.csv  how far the two agree
receipts/      receipts.csv            what the standard steer of each target changes, with intervals
"""

from interp.store.table_files import read_table, write_group

__all__ = ["read_table", "write_group"]
