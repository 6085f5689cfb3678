// The data of the dashboard (interp.pages.dashboard.page_data), and what its other scripts define.

type Note = { feature: number; by: string; at: string; kind: string; text: string };
/** Band, rank, user, first step, items, activations, the item that came next. */
type LitHistory = [string, number, string, number, number[], number[], number];

interface DashboardData extends FirstColumns {
  about: {
    title: string;
    who_saw: string;
    max_history: number;
    site: string;
    features: number;
    counts: string;
    concepts: number;
    headline: string[];
    beside: { most_popular: string; warning: string } | null;
    notes: string[];
    l0: number;
    explained_variance: number;
    ndcg: string;
    ndcg_reconstructed: string;
    sae: number | null;
    neurons: number | null;
  };
  names: Record<string, string>;
  items: {
    titles: string[];
    concepts: number[][];
    ids: string[];
    all: number;
    popularity: number[];
    more_popular: number[];
    in_more_lists: number[];
    steps: number[];
    lists: number[];
    users: number[];
    place: number[];
    paged: number[];
    lit: { feature: number[][]; activation: number[][] };
    near: { item: number[][]; similarity: number[][] };
    promoted: { feature: number[][]; effect: number[][] };
    suppressed: { feature: number[][]; effect: number[][] };
  };
  features: FirstColumns["features"] & {
    concept: Column;
    aligned: number[];
    unseen_items: Column;
    correlation: Column;
    auc: Column;
    sensitivity: Column;
    p_top100: Column;
    group: string[];
    family: number[];
    effect: Column;
    peaks: number[][];
    items: number[][];
    effects: [number, number][][];
  };
  phrases: string[];
  /** How many features a file beside the page has; only where there are such files. */
  shards?: { size: number };
  curves: Record<string, number[][]>;
  receipts: { measures: Record<string, string>; rows: Numbers[][]; moved: [number, ...Numbers][][] };
  glossary: Record<string, Term>;
  alignment: Record<"correlation" | "auc" | "sensitivity", Column[]>;
  causal: Record<"effect" | "effect_se", Column[]>;
  histograms: Record<string, number[][]>;
  bands: Record<string, string[]>;
  histories: LitHistory[][];
  labels: {
    name: string[];
    kind: string[];
    labelled: boolean[];
    precision: Column;
    recall: Column;
    hard_precision: Column;
    lift: Column;
    support: number[];
    active: number[];
    roles: Record<string, string>;
    items: Record<string, number[][]>;
  };
  neighbours: Record<string, { neighbour: number[][]; similarity: number[][] }>;
  maps: Record<string, Figure>;
  top: { concept: string[]; feature: number[]; weak: boolean[] };
  overview: Record<string, Figure>;
  empty: Record<string, Figure>;
  notes: { dictionary: string; notes: Note[] } | null;
}
declare const data: DashboardData;

/** The equalizer (interp/pages/assets/equalizer.js), whose own names no other script sees. */
declare function mountEqualizer(
  root: HTMLElement,
  backend: Backend,
  options?: Options,
): Promise<{ addFeature: (number: number, value?: number) => void; destroy: () => void }>;
