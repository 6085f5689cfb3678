"""What the heads of the report's tables mean, as tooltips: in a line each, what captions say at length.

An analysis of one's own says it in its columns (`interp.plots.blocks.Column.meaning`).
"""

from interp.pages.glossary import GLOSSARY
from interp.plots.blocks import Block

HEADS = {
    "As the paper": "The largest correlation of any candidate, chosen and measured on the same steps; with no concept "
    "in the row, the mean over concepts.",
    "Null": "The same for meaningless concepts: each item has those of another item that is about as popular.",
    "Unseen items": "Chosen on half of the items, measured on the other half; in brackets a 95% interval over users.",
    "On unseen items": "The feature is chosen on half of the items, its correlation measured on the other half.",
    "Unseen users": "Chosen on the validation users, measured on the test users.",
    "Both": "Chosen on half of the items of the validation users, measured on the other half of the test users.",
    "Concepts above null": "Concepts for which at most 5% of permuted concepts do as well, as the paper measures.",
    "Concepts that pass": "Concepts above permuted ones on unseen items, at a false discovery rate of 5%.",
    "Values that pass": "Values above permuted ones on unseen items, at a false discovery rate of 5%.",
    "Features ahead by": "The features’ mean on unseen items less that of this row, with a 95% interval over users.",
    "Candidates": "The set in which the one that fits best is searched.",
    "How many": "How many candidates there are to choose from.",
    "p": "How often chance does at least as well, measured by permutation.",
    "q": "p, corrected for the number of rows that are tested: the false discovery rate.",
    "Concept": "An attribute that items have or lack.",
    "Genre": "The concept, in the paper.",
    "Attribute": "A kind of property of items.",
    "Items": "Items of the test steps that have the concept.",
    "Items, median": "Items of the test steps that have a value: the median over the values.",
    "Steps known": "The share of the steps whose item has a known value of the attribute.",
    "Values": "How many values of the attribute are looked at.",
    "Users": "Which users, or how many, were measured.",
    "Measure": "How lists are judged.",
    "Measured": "What was measured.",
    "By chance": "The same with the effects of another feature.",
    "Recommender": "The recommender’s lists.",
    "Most popular": "The same list for all: the most popular items that are not in the user’s history.",
    "SE": "Standard error over users.",
    "Difference": "Recommender less most popular, paired by user, with its 95% interval.",
    "Site": "The place in the recommender whose activations the dictionary splits.",
    "Neurons": "Mean over concepts of the largest correlation of any neuron.",
    "SAE": "Mean over concepts of the largest correlation of any feature.",
    "RMSE": "Root mean square error of the reconstruction of normalised activations; 0 is exact.",
    **{
        f"{source} {part}": f"The {name} over concepts of the largest correlation of any {unit}."
        for source, unit in (("Neurons", "neuron"), ("SAE", "feature"))
        for part, name in (("min", "smallest"), ("mean", "mean"), ("max", "largest"))
    },
    "setting": "What decides how sparse the dictionary is.",
    "paper": "The paper’s number.",
    "Runs": "Trainings with other seeds, of which the row is the mean.",
    "Std over runs": "Standard deviation over runs.",
    "Mean top correlation": "Mean over concepts of the largest correlation of any feature.",
    "Trainer": "The kind of dictionary.",
    "Setting": "What was set.",
    "Value": "What it was set to.",
    "Step": "A part of the run.",
    "Seconds": "Wall time.",
    "Peak memory, MB": "The most memory that the step held.",
    "Correlation": "Pearson’s: 1 where both rise and fall together, 0 where neither tells of the other.",
    "Feature": "The feature’s number in the dictionary.",
    "Top feature": "The feature that correlates most with the concept.",
    "Features": "How many features.",
    "Best": "The number of the feature with the best F1.",
    "Popularity": "The share of the steps whose item has the concept.",
    "Kind": "The kind of category.",
    "Stands for": "The category that the feature follows.",
    "p_top100, pooled": "The same, from the sums over all of these histories.",
    "Steps with it": "Steps whose item is in the category.",
    "ROC AUC": "The chance that the value is higher on a step with the concept than on one without; 0.5 is a coin.",
    "Probe’s decision value": "Correlation of a supervised linear probe’s decision value with the concept.",
    "Probe’s probability": "The same of the probability that it gives.",
    "Decision value, unseen items": "The probe is fitted on half of the items and measured on the other half.",
    "Probability, unseen items": "The same of the probability that it gives.",
    "ROC AUC, unseen items": "The same of the chance that it is higher on a step with the concept.",
    "Method": "How the share of the concept is raised.",
    "Change of NDCG@10": "Relative to the lists without a steer; 0 is no cost.",
    "Ratio to boost": "The loss of NDCG@10, as a multiple of that of re-ranking by boosted scores.",
    "Against": "What it is compared with; 1.3 ×: it may lose 1.3 times as much.",
    "Shares that both reach": "Of three: 40, 60 and 80% of the rise of the share.",
    "Change by the other": "The same of the method that it is compared with.",
    "Cheaper by": "The change less that of the other (so many times), with a 95% interval, paired by user.",
    "No dearer?": "holds: the interval lies above 0; fails: below 0; cannot tell: it has 0 in it, or few users.",
    "from": "Lower end of the 95% interval over users.",
    "to": "Upper end of the 95% interval over users.",
    "change from": "Lower end of the 95% interval of the change.",
    "Part of the rise": "Of the rise from the lists without a steer to the largest share of the paper’s replacement.",
    "Share": "The share of the top 10 that has the concept.",
    "Share of it": "Change of the share of the top 10 that has the concept.",
    "Set to": "The feature’s activation at the last step: its own 99th percentile.",
    "At least": "The share of the top 10 that is asked for.",
    "Asked": "The share of the top 10 that is asked for.",
    "On held-out users": "What reaches it on users held out from the dictionary.",
    "The same on test users": "What that does to the test users, who did not choose it.",
    "A dose for each test user": "Each user has the smallest amount at which their own list has the share.",
    "Units": "The amount, in 99th percentiles of each feature’s activations.",
    "Share before": "The share of the top 10 without a steer.",
    "Users who have it before": "The share of the users whose own list has the share without a steer.",
    "NDCG@10 before": "Without a steer.",
    "after": "With the steer.",
    "Strength": "How far popularity is turned; 0 is no steer.",
    "Best predicate": "The kind of the property that predicts the feature best.",
    "Hold on unseen users": "Features whose label passes on users that it was not chosen on.",
    "… and on unseen items": "Of these, those whose label passes on items that it was not chosen on.",
    "Label": "The property that predicts whether the feature is high.",
    "F1": "The harmonic mean of precision and recall.",
    "Precision, hard": GLOSSARY["hard_precision"][1],
    "Halves of the items": "The share of the halves of items on which the label holds, learnt on the other half.",
    "Right": "Items at which the label predicts the feature, and it is high.",
    "Predicted, not active": "Items at which the label predicts the feature, and it is not high.",
    "Active, not predicted": "Items at which the feature is high, and the label does not predict it.",
    "Over all active features": "What is compared.",
    "Rank correlation over features": "Between the features’ correlations with the concept and their effects on it.",
    "Its effect": "On the concept’s share of the top 10: half of up less down by its 99th percentile.",
    "Place among all effects": "1: no other feature raises the concept more.",
    "Place of the feature": "1: the feature with the largest attribution.",
    "Pairs": "Pairs of a feature and an item that are compared.",
    "Signs agree": "The share at which the attribution has the sign of the change when the feature is set to 0.",
    "of plain gradients": "The same where the gradient is not averaged.",
    "Mean size, attribution": "Of the attribution, without its sign.",
    "Mean size, ablation": "Of the change of the score when the feature is set to 0, without its sign.",
}
"""By what a head says, or else by the column: the head of `setting` is λ, k or another symbol."""
METHODS = {
    "least": "At most 20 features, learnt to raise the concept’s items and leave others alone; one amount for all.",
    "least_user": "The same, with an amount for each user.",
    "final_user": "Each user’s last hidden state is moved by least squares, as far as one boost for all says.",
    "final_price": "The same, with an amount for each user.",
    "set": "The top feature is set to a value; the reconstruction error is kept.",
    "profile": "The 20 features that differ most between steps with and without the concept are raised together.",
    "replace": "The top feature is set to a value, and the layer is replaced by its reconstruction.",
    "add": "The direction of the top feature is added.",
    "probe": "The direction of a supervised linear probe is added.",
    "mean_difference": "The direction between the means of steps with and without the concept is added.",
    "neuron": "The best correlated neuron is raised.",
    "random": "A random direction is added; a mean over three.",
    "boost": "The scores of the concept’s items are raised alike: re-ranking.",
    "boost_few": "The same among each user’s best 100 items.",
    "boost_user": "The same, with an amount for each user.",
    "gap": "The cost less that of the other, with a 95% interval over users who are drawn alike for both.",
}
"""By the column: ways to raise a concept, and where one head stands over different columns."""


def with_meanings(part: Block) -> Block:
    """A section of the report whose tables say what their heads mean; its blocks still have their frames."""
    exhibits = [{**entry, "blocks": [_of(block) for block in entry["blocks"]]} for entry in part["exhibits"]]
    return {**part, "exhibits": exhibits}


def meaning(head: str, key: str) -> str:
    """What a head of a column with this key means; empty where nobody has said it, as of a metric of one's own."""
    return METHODS.get(key) or HEADS.get(head) or HEADS.get(key) or (GLOSSARY[key][1] if key in GLOSSARY else "")


def _of(block: Block) -> Block:
    if block["kind"] != "table":
        return block
    keys = block["frame"].columns
    columns = [
        {**column, "tip": column["tip"] or meaning(column["name"], key)}
        for column, key in zip(block["columns"], keys, strict=True)
    ]
    return {**block, "columns": columns}
