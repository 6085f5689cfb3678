// The data of the scorecard (interp.pages.scorecard_page.page_data).

type Score = {
  key: string;
  group: string;
  head: string;
  about: string;
  better: string;
  values: (number | string | null)[];
  texts: string[];
  places?: (number | null)[];
};
declare const data: {
  rows: { run: string; name: string; site: string; kind: string; features: number }[];
  columns: Score[];
  runs: string[];
  figures: Record<string, Figure>;
  absent: string[];
};
