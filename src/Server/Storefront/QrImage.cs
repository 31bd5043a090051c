using System.Text;

using QRCoder;

namespace FlashSale.Server.Storefront;

/// <summary>A QR code as the path of an SVG picture, one unit a module.</summary>
/// <param name="Size">Width and height, the quiet zone of four modules included (ISO/IEC 18004).</param>
/// <param name="Path">The dark modules.</param>
public sealed record QrImage(int Size, string Path)
{
    /// <param name="text">Readable with a quarter of the picture dirty, as on a screen in the sun.</param>
    public static QrImage Of(string text)
    {
        using var data = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.Q);
        var rows = data.ModuleMatrix;
        StringBuilder path = new();
        for (var y = 0; y < rows.Count; y++)
        {
            for (var x = 0; x < rows.Count; x++)
            {
                var from = x;
                while (x < rows.Count && rows[y][x])
                {
                    x++;
                }

                if (x > from)
                {
                    path.Append($"M{from} {y}h{x - from}v1H{from}z");
                }
            }
        }

        return new QrImage(rows.Count, path.ToString());
    }
}
