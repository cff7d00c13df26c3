import { degrees, PDFDocument, rgb, StandardFonts } from "pdf-lib";

export default async function () {
  const pdf = await PDFDocument.create();
  pdf.setTitle("Tea");
  const font = await pdf.embedFont(StandardFonts.Helvetica);
  pdf.addPage([200, 100]).drawText("Hello", { x: 10, y: 50, size: 12, font, color: rgb(1, 0, 0), rotate: degrees(5) });
  const bytes = await pdf.save();
  const again = await PDFDocument.load(bytes);
  return [bytes.length > 500, again.getPageCount(), again.getTitle(), font.widthOfTextAtSize("Hello", 12)];
}
