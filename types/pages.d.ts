// What all pages have besides their own scripts.

declare const Plotly: any;
interface Window { Plotly?: any }

/** A column with a value for each feature, item or concept; null where there is none. */
type Column = (number | null)[];
type Columns = Record<string, Column>;
/** Number, before, change, and its bounds: a row of a receipt. */
type Numbers = [number | null, number | null, number | null, number | null];
/** A term's name, its meaning, and whether it is about concepts. */
type Term = [string, string, boolean];
type Figure = { data: any[]; layout: any };
/** One way in which features move items: for each direction, columns with a list for each feature. */
type Moves = Record<string, Record<"item" | "effect" | "up" | "down" | "users", number[][]>>;

/** The columns of a study from which the first screen of a feature is drawn (interp.pages.feature_columns). */
interface FirstColumns {
  concepts: string[];
  items: { titles: string[] };
  features: {
    name: string[];
    given: ([string, string] | null)[];
    grade: string[];
    grades: Record<string, string[]>;
    sentence: string[];
    density: number[];
    max: number[];
  };
  lit: { item: number[][]; activation: number[][] };
  moves: Record<string, Moves>;
  costs: Record<string, any[]>;
}
/** A number, without which a dash is shown. */
type Value = number | null | undefined;
