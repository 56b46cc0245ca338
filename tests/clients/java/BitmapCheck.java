import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.roaringbitmap.PeekableIntIterator;
import org.roaringbitmap.RoaringBitmap;
import org.roaringbitmap.buffer.ImmutableRoaringBitmap;

/**
 * Reads each file *.bitmap of a folder with the RoaringBitmap library, copied and as a view of the bytes, prints what is
 * in it, and writes the set as the library itself serialises it to *.java.
 */
public final class BitmapCheck {
    private static final long MODULUS = 1L << 40;

    public static void main(String[] arguments) throws IOException {
        List<Path> files;
        try (Stream<Path> listed = Files.list(Path.of(arguments[0]))) {
            files = listed.filter(file -> file.toString().endsWith(".bitmap")).sorted().toList();
        }
        for (Path file : files) {
            byte[] bytes = Files.readAllBytes(file);
            RoaringBitmap copied = new RoaringBitmap();
            copied.deserialize(ByteBuffer.wrap(bytes));
            ImmutableRoaringBitmap view = new ImmutableRoaringBitmap(ByteBuffer.wrap(bytes));
            if (!view.toRoaringBitmap().equals(copied)) {
                throw new IllegalStateException(file + ": the view and the copy differ");
            }
            System.out.println(file.getFileName() + "\t" + summary(copied));
            ByteArrayOutputStream written = new ByteArrayOutputStream();
            copied.runOptimize();
            copied.serialize(new DataOutputStream(written));
            String name = file.toString();
            Files.write(Path.of(name.substring(0, name.length() - ".bitmap".length()) + ".java"), written.toByteArray());
        }
    }

    private static String summary(RoaringBitmap set) {
        long place = 0;
        long sum = 0;
        long first = -1;
        long last = -1;
        for (PeekableIntIterator ids = set.getIntIterator(); ids.hasNext(); ) {
            last = Integer.toUnsignedLong(ids.next());
            first = first < 0 ? last : first;
            place++;
            sum = (sum + Math.floorMod(place * last, MODULUS)) % MODULUS;
        }
        return set.getLongCardinality() + " " + first + " " + last + " " + sum;
    }
}
