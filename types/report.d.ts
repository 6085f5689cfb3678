// The data of the report (interp.pages.report.report_data): sections of exhibits, exhibits of blocks (interp.plots.blocks).

type Missing = { kind: "missing"; flag: string };
type Table = {
  kind: "table";
  columns: { name: string; text: boolean; paper: boolean; tip: string }[];
  rows: string[][];
  fold: string;
  strong: number[];
};
type FigureBlock = { kind: "figure"; figure: Figure; title: string; half: boolean };
type Steps = { user: string; first: number; titles: string[]; concepts: string[][]; has: boolean[]; activations: number[] };
type Histories = { kind: "histories"; groups: { title: string; concept: string; largest: number; histories: Steps[] }[] };
type ListColumn = { name: string; items: { title: string; concepts: string[]; has: boolean; new: boolean }[] };
type Lists = { kind: "lists"; target: string; users: { user: string; direction: "up" | "down"; columns: ListColumn[] }[] };
type Exhibit = { number: string; title: string; caption: string; sources: [string, string[]][]; blocks: (Missing | Table | FigureBlock | Histories | Lists)[] };
type Section = { id: string; title: string; exhibits: Exhibit[] };
type Claim = {
  holds: boolean | null;
  unclear: boolean;
  section: string;
  anchor: string;
  statement: string;
  criterion: string;
  measured: string;
  tables: string[];
};

declare const data: {
  heading: string;
  who_saw: string;
  facts: [string, string][];
  warning: string | null;
  notes: string[];
  reduced: string;
  tally: string;
  claims: Claim[];
  sections: Section[];
};
