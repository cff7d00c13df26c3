const SHAPES = {
  Design: "M-10 95 Q55 30 120 90 T250 85 V165 H-10Z",
  Code: "M70 45 L35 75 L70 105 M170 45 L205 75 L170 105 M138 35 L102 115",
  Data: "M20 130 V90 M65 130 V60 M110 130 V75 M155 130 V40 M200 130 V20",
  Photo: "M120 30 A45 45 0 1 1 119 30 M120 52 A23 23 0 1 1 119 52",
  Music: "M10 75 H40 L55 30 L80 120 L105 50 L125 95 L145 65 L160 75 H230",
  Language: "M30 40 H210 V100 H90 L60 128 V100 H30Z M60 60 H180 M60 80 H140",
  Business: "M20 120 L80 75 L125 95 L220 25 M185 25 H220 V60",
};

/** A course's picture, drawn from its category and hue. @param {{ category: string, hue: number, size?: "small" | "large" }} props */
export function Cover({ category, hue, size = "small" }) {
  return (
    <svg className={`cover ${size}`} viewBox="0 0 240 150" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      <rect width="240" height="150" fill={`hsl(${hue} 52% 46%)`} />
      <circle cx="200" cy="18" r="74" fill={`hsl(${(hue + 34) % 360} 68% 62%)`} opacity="0.55" />
      <path
        d={SHAPES[category]}
        fill={category === "Design" ? `hsl(${hue} 60% 30%)` : "none"}
        stroke="hsl(0 0% 100% / 0.88)"
        strokeWidth="7"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
