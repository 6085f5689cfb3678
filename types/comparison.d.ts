// The data of the page of a comparison (interp.pages.comparison.page_data).

type Side = "old" | "new";
type Matches = Record<"match" | "score" | "chance" | "q" | "written" | "written_percentile" | "held" | "held_percentile", number[]> & { change: string[] };
/** A similar feature: its number, score, chance, written, held. */
type Near = [number, number, number, number, number];
type ConceptSide = [number | null, number | null, number | null, number | null, boolean];
/** A measure before, after and its change, each with its bounds. */
type Change = [name: string, before: number, beforeLow: number | null, beforeHigh: number | null, after: number, afterLow: number | null, afterHigh: number | null, change: number, low: number | null, high: number | null];
type Pair = [old: number, next: number];
/** A row of the table: a feature of a side, what became of it, and its pair. */
type Row = { side: Side; feature: number; change: string; match: number; score: number | null; chance: number | null; written: number | null; held: number | null; pair: Pair; holds: boolean };
type RowColumn = { key: string; name: string; text?: boolean; tip?: string; value: (row: Row) => any; show?: (row: Row) => Node | string };

interface ComparisonData {
  heading: string;
  same_recommender: boolean;
  read_on: string;
  averages: string;
  notes: string[];
  changes: Record<string, string>;
  changes_of: Record<Side, string[]>;
  sides: Record<Side, FirstColumns & { study: string; title: string; site: string; dictionary: string }>;
  matches: Record<Side, Matches>;
  nearest: Record<Side, Near[][]>;
  similarity: { score: number[][]; written: number[][]; held: number[][]; chance: number[][] } | null;
  concepts: { name: string; same: boolean; match: number; old: ConceptSide; new: ConceptSide }[];
  lists: { k: number; users: number; moved: number; measures: Change[]; shares: Change[] };
  quality: [string, string, string][];
  glossary: Record<string, Term>;
}
declare const data: ComparisonData;
